internal import Common

/// The form of a kind of key: its beginning and its rest, so that it is told from a word of a text.
struct SecretForm: Sendable {
    enum Kind: Sendable {
        /// A beginning that words have too: much of the rest must look like chance.
        case strict
        /// A beginning that keys alone have.
        case loose
        /// As `strict`, in parts with dots between them.
        case dotted
        /// So many letters and digits, in capitals or of any case.
        case exact(count: Int)
        /// Base64 of JSON in parts with dots between them.
        case webToken
        /// The word `Bearer` or `Basic`, and what follows.
        case bearer, basic
        case privateKey
    }

    let prefix: [UInt8]
    let kind: Kind

    private init(_ prefix: String, _ kind: Kind) {
        self.prefix = Array(prefix.utf8)
        self.kind = kind
    }

    /// The forms, those with a longer beginning first.
    static let all: [SecretForm] =
        [
            ("sk-", Kind.loose), ("sk_live_", .loose), ("sk_test_", .loose), ("rk_live_", .loose), ("rk_test_", .loose),
            ("pk_live_", .loose),
            ("pk_test_", .loose), ("pk-lf-", .loose), ("sk_", .strict), ("pk-", .strict), ("pk_", .strict),
            ("rk_", .strict), ("gsk_", .strict),
            ("fw_", .strict), ("xai-", .strict), ("hf_", .strict), ("nvapi-", .strict), ("tgp_", .strict),
            ("r8_", .strict), ("pplx-", .strict),
            ("csk-", .strict), ("ya29.", .dotted), ("jina_", .strict), ("tvly-", .strict), ("lsv2_", .loose),
            ("dapi", .strict), ("SG.", .dotted),
            ("ghp_", .strict), ("gho_", .strict), ("ghu_", .strict), ("ghs_", .strict), ("ghr_", .strict),
            ("github_pat_", .strict),
            ("glpat-", .loose), ("xoxb-", .loose), ("xoxp-", .loose), ("xoxa-", .loose), ("xoxr-", .loose),
            ("xoxs-", .loose), ("xapp-", .loose),
            ("npm_", .strict), ("pypi-", .strict), ("dop_v1_", .strict), ("shpat_", .strict), ("whsec_", .strict),
            ("AIza", .exact(count: 35)),
            ("AKIA", .exact(count: 16)), ("ASIA", .exact(count: 16)), ("eyJ", .webToken), ("Bearer", .bearer),
            ("bearer", .bearer),
            ("BEARER", .bearer), ("Basic", .basic), ("basic", .basic), ("BASIC", .basic), ("-----BEGIN ", .privateKey),
        ].map { SecretForm($0.0, $0.1) }.sorted { $0.prefix.count > $1.prefix.count }

    /// By the first two bytes of a word: whether a form begins with them.
    static let beginnings: [Bool] = {
        var table = [Bool](repeating: false, count: 1 << 16)
        for form in all { table[Int(form.prefix[0]) << 8 | Int(form.prefix[1])] = true }
        return table
    }()
}
