import Common
import TestSupport
import Testing

@testable import Policies

/// The forms that redaction knows by name.
@Suite(.timeLimit(.minutes(5))) struct RedactionPresetTests {
    static func parts(_ preset: RedactionPreset, _ text: String) -> [String] {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer { preset.ranges(in: $0) }.map {
            String(decoding: bytes[$0], as: UTF8.self)
        }
    }

    private static let awsSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    /// The parts of a text that a preset finds stand in brackets.
    @Test(
        arguments: [
            (.email, "to [ada.l+x@mail.example.co.uk], ada@localhost, @x.org, <[a_b@ü.example]>. a@b.c1"),
            (.email, "[a@b.de],[c@d.de] [e@f.de]@g.de"),
            (.email, "[al@example.com]，2024年 [bob@example.com]。电话123 [bob@example.com]–2024 [a@b.com]…1"),
            (.email, "[bob@example.com]-2 [bob@example.com].2nd [a@b.example.org]_x a@b.c-1"),
            (.url, "see [https://example.com/a?b=c#d], (HTTP: [HTTP://x.y/z]) and xhttp://no or http://"),
            (.ipv4, "[10.0.0.1], [255.255.255.255]:80 256.1.1.1 1.2.3 1.2.3.4.5 v1.2.3.4"),
            (.ipv6, "[fe80::1] and [2001:db8:0:0:0:0:2:1], [::1]: 12:30:45, std::vector, a::b, 1:2:3"),
            (.phone, "[+49 30 1234567], [+14155552671], +1 234, [+1 (415) 555-2671], 2+4930123456 +1234567890123456"),
            (
                .usPhone,
                "[(415) 555-2671], [415-555-2671], [415.555.2671] [+1 415 555 2671] [14155552671] 115-555-2671 "
                    + "4155552671234 +4915155526712 x4155552671"
            ),
            (.usSSN, "[123-45-6789] [123 45 6789] 000-12-3456 666-12-3456 900-12-3456 123-00-4567"),
            (.usSSN, "123-45-67890 1123-45-6789 123-45 6789"),
            (.usSSNWithoutDash, "[123456789] 1234567890 000456789 a123456789 0.123456789"),
            (.creditCard, "[4111 1111 1111 1111], [5500-0000-0000-0004] 4111111111111112 [378282246310005]/12"),
            (.creditCard, "0.4111111111111111 1234567890123452 [6011111111111117] [3530111333300000]"),
            (.creditCard, "41111111111111111111"),
            (.visa, "[4111111111111111] 5500000000000004 [4222222222222] [4111111111111111] 12/27"),
            (.mastercard, "4111111111111111 [5500000000000004] [2223003122003222]"),
            (.amex, "[3782 822463 10005] 4111111111111111"),
            (.discover, "[6011111111111117] 3530111333300000"),
            (.iban, "[DE89 3704 0044 0532 0130 00] and [GB82WEST12345698765432], DE88370400440532013000 xDE89"),
            (.awsAccessKey, "[AKIAIOSFODNN7EXAMPLE] AKIAIOSFODNN7EXAMPLEX xAKIAIOSFODNN7EXAMPLE AKIAiosfodnn7example"),
            (.awsSecretKey, "[\(awsSecret)] \(awsSecret)x da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            (.githubToken, "[ghp_16C7e42F292c6912E7710c838347Ae178B4a] ghp_short xghp_16C7e42F292c6912E7710c83"),
            (.slackToken, "[xoxb-123456789012-abcDEF] xoxb-1"),
            (.genericAPIKey, #"api_key = "[abcdefgh12345678]", token: [0123456789abcdef] tokens 0123456789abcdef"#),
            (.genericAPIKey, "my_API-KEY=[abcdefgh12345678]&x=1 secret: short, the token is abcdefgh12345678"),
        ] as [(RedactionPreset, String)])
    func `a preset finds its form and nothing else`(preset: RedactionPreset, marked: String) {
        let expected = marked.split(separator: "[", omittingEmptySubsequences: false).dropFirst().map { part in
            String(part.split(separator: "]")[0])
        }
        let text = String(marked.unicodeScalars.filter { $0 != "[" && $0 != "]" }.map { Character($0) })
        #expect(Self.parts(preset, text) == expected)
    }

    @Test func `the presets of TrueFoundry are known or refused by name`() {
        let names = RedactionPreset.allCases.map(\.rawValue)
        #expect(Set(names + RedactionPreset.later).count == names.count + RedactionPreset.later.count)
        for name in ["us_ssn", "us_ssn_no_dash", "email", "us_phone", "credit_card", "ipv4", "generic_api_key"] {
            #expect(names.contains(name))
        }
    }

    /// A finding lies within its text, which may be any.
    @Test(arguments: RedactionPreset.allCases) func `no text traps or takes long`(preset: RedactionPreset) {
        var random = SeededRandom(seed: 5)
        let letters = Array("0123456789+-. ()@:/aAfFkKxXghpAKIAtoken=_\"é".utf8)
        for _ in 0..<300 {
            let text = (0..<random.below(60)).map { _ in random.pick(letters) }
            let ranges = text.withUnsafeBufferPointer { preset.ranges(in: $0) }
            #expect(ranges.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= text.count && !$0.isEmpty })
            #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
        }
        for unit in ["1", "1 ", "1.", "@", "a@", "a:", "+1", "(", "http://", "DE00", "token=", "A", "ghp_"] {
            let text = Array(String(repeating: unit, count: 20_000).utf8)
            _ = text.withUnsafeBufferPointer { preset.ranges(in: $0) }
        }
    }
}
