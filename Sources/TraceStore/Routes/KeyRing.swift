internal import Common
internal import Crypto
internal import FoundationEssentials

/// The projects' pairs of keys, each of which opens its project. The ring holds and looks up hashes of the pairs.
struct KeyRing: Sendable {
    private var projects: [[UInt8]: String] = [:]
    private var publicKeys: Set<[UInt8]> = []

    /// - Throws: `ConfigurationError` if two projects have one pair of keys: nothing could tell them apart.
    init(_ keys: [UTF8Text: LangfuseKeys]) throws(ConfigurationError) {
        for (project, keys) in keys.sorted(by: { $0.key < $1.key }) {
            let hash = Self.hash("\(keys.publicKey.reveal()):\(keys.secretKey.reveal())")
            if let other = projects.updateValue(project.text, forKey: hash) {
                throw ConfigurationError(
                    at: .environment("SECRETS_PATH"),
                    "projects `\(other)` and `\(project)` have the same langfuse_keys; give each a pair of its own")
            }
            publicKeys.insert(Self.hash(keys.publicKey.reveal()))
        }
    }

    /// The project that an `Authorization` header opens.
    /// - Throws: the answer that Langfuse gives to any other header.
    func project(_ authorization: String?) throws(LangfuseError) -> String {
        guard let authorization else { throw .noAuthorization }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { throw .badCredentials }
        let (scheme, credentials) = (String(parts[0]), String(parts[1]))
        // A public key alone opens nothing but the writing of scores.
        if scheme.equalsIgnoringASCIICase("Bearer"), publicKeys.contains(Self.hash(credentials)) { throw .accessDenied }
        guard scheme.equalsIgnoringASCIICase("Basic"), let pair = Data(base64Encoded: credentials),
            let project = projects[Array(SHA256.hash(data: pair))]
        else { throw .badCredentials }
        return project
    }

    private static func hash(_ text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }
}
