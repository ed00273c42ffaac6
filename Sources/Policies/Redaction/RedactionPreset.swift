internal import Common

/// A form of text that redaction knows by name. The names are TrueFoundry's, but for `phone` and `iban`.
package enum RedactionPreset: String, Sendable, CaseIterable {
    case email
    case url
    case ipv4
    case ipv6
    /// A number with its country's code.
    case phone
    case usPhone = "us_phone"
    case usSSN = "us_ssn"
    case usSSNWithoutDash = "us_ssn_no_dash"
    /// Any of the four below, and others.
    case creditCard = "credit_card"
    case visa
    case mastercard
    case amex
    case discover
    case iban
    case awsAccessKey = "aws_access_key"
    case awsSecretKey = "aws_secret_key"
    case githubToken = "github_token"
    case slackToken = "slack_token"
    /// The value behind a name such as `api_key`.
    case genericAPIKey = "generic_api_key"

    /// Presets of TrueFoundry's that are refused by name, since an operator would believe them to be in force.
    static let later = [
        "india_aadhaar", "india_pan", "passport_us", "passport_uk", "passport_germany", "passport_france",
        "passport_netherlands", "passport_canada", "passport_india", "passport_australia", "passport_china",
        "passport_japan", "gender_sexual_orientation", "race_ethnicity_national_origin", "religion",
        "age_discrimination", "disability", "marital_family_status", "military_status", "public_assistance",
        "weapons_firearms", "weapons_other", "explosives", "violence_threats", "terrorism", "self_harm_suicide",
        "illegal_activities", "harassment_hate",
    ]

    /// All places of the form in a text, in their order; no two overlap. Each byte is looked at a bounded number of
    /// times.
    func ranges(in text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
        let scan = FormScan(text)
        switch self {
        case .email: return scan.emails()
        case .url: return scan.ranges(from: "hfHF") { scan.url(at: $0) }
        case .ipv4: return scan.ranges(where: FormScan.isDigit) { scan.ipv4(at: $0) }
        case .ipv6: return scan.ipv6()
        case .phone: return scan.ranges(from: "+") { scan.phone(at: $0) }
        case .usPhone: return scan.ranges(where: FormScan.beginsPhone) { scan.usPhone(at: $0) }
        case .usSSN: return scan.ranges(where: FormScan.isDigit) { scan.socialSecurityNumber(at: $0) }
        case .usSSNWithoutDash: return scan.ranges(where: FormScan.isDigit) { scan.undashedNumber(at: $0) }
        case .creditCard, .visa, .mastercard, .amex, .discover:
            return scan.ranges(where: FormScan.isDigit) { scan.card(at: $0, of: self) }
        case .iban: return scan.ranges(where: FormScan.isUpper) { scan.iban(at: $0) }
        case .awsAccessKey: return scan.ranges(from: "A") { scan.awsAccessKey(at: $0) }
        case .awsSecretKey: return scan.awsSecretKeys()
        case .githubToken: return scan.ranges(from: "g") { scan.githubToken(at: $0) }
        case .slackToken: return scan.ranges(from: "x") { scan.slackToken(at: $0) }
        case .genericAPIKey: return scan.namedKeys()
        }
    }
}
