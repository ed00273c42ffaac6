package import Common
internal import Crypto
internal import NIOConcurrencyHelpers

/// Asks for one of the keys in a file. The file holds the keys' SHA-256 only, so reading it reveals no key.
///
/// While an ingress runs, it checks once a second whether the file has changed, and then reads it again. A key that has
/// left the file opens nothing after two seconds, without a restart.
public struct APIKeyAuth: ImmediateAuthProvider {
    /// One entry of the file.
    package struct Entry: Sendable, Equatable {
        /// Names the key, for the operator.
        package var id: String
        /// SHA-256 of the key; 32 bytes.
        package var digest: [UInt8]
        package var account: Account

        package init(id: String, digest: [UInt8], account: Account) {
            self.id = id
            self.digest = digest
            self.account = account
        }
    }

    /// The file from which the keys are read again; nil for keys that are not from a file.
    let file: APIKeysFile?
    private let entries: NIOLockedValueBox<[Entry]>
    /// The contents of the file when it was last taken over.
    private let contents: NIOLockedValueBox<FileContents>
    private let watchers = NIOLockedValueBox<[FileReading.Take]>([])

    public var consumesBearer: Bool { true }

    package init(entries: [Entry]) { self.init(entries: entries, contents: FileContents(), file: nil) }

    init(entries: [Entry], contents: FileContents, file: APIKeysFile?) {
        self.entries = NIOLockedValueBox(entries)
        self.contents = NIOLockedValueBox(contents)
        self.file = file
    }

    /// Tells `take` what becomes of each later reading of the file.
    func onReading(_ take: @escaping FileReading.Take) { watchers.withLockedValue { $0.append(take) } }

    package func account(for request: AuthRequest) throws(GatewayError) -> Account? {
        guard let bearer = request.bearer, !bearer.isEmpty else {
            throw GatewayError(
                status: 401, type: "authentication_error", code: "missing_api_key",
                message: "This gateway asks for a key. Send it as `Authorization: Bearer <key>`.", shouldRetry: false)
        }
        guard let account = account(forKey: bearer) else {
            throw GatewayError(
                status: 401, type: "authentication_error", code: "invalid_api_key",
                message: "The key in the Authorization header is not a key of this gateway. Ask its operator for one.",
                shouldRetry: false)
        }
        return account
    }

    /// Lets in the holders of these keys only.
    func replaceEntries(with entries: [Entry]) { self.entries.withLockedValue { $0 = entries } }

    /// Takes over the keys that the file holds now.
    func take(_ keys: APIKeysFile.Keys) {
        replaceEntries(with: keys.entries)
        let before = contents.withLockedValue { contents in
            defer { contents = keys.contents }
            return contents
        }
        tell(.taken(from: before, to: keys.contents))
    }

    /// Keeps the present keys.
    func refuse(_ file: APIKeysFile, because error: ConfigurationError) {
        tell(.refused(at: file.path, because: error, inForce: contents.withLockedValue { $0 }))
    }

    private func tell(_ reading: FileReading) {
        for take in watchers.withLockedValue({ $0 }) { take(reading) }
    }

    /// The account of the key with an id, for the operator.
    func account(ofKey id: String) -> Account? {
        entries.withLockedValue { $0.first { $0.id == id }?.account }
    }

    /// Compares with every entry to the last byte, so the time it takes tells nothing of how much was right.
    private func account(forKey key: String) -> Account? {
        account(ofDigest: Array(SHA256.hash(data: Array(key.utf8))))
    }

    /// The account of the key with a SHA-256, if the key is in force. Compares as ``account(for:)`` does.
    func account(ofDigest digest: [UInt8]) -> Account? {
        var found: Account?
        for entry in entries.withLockedValue({ $0 }) {
            let difference = zip(entry.digest, digest).reduce(UInt8(entry.digest.count == digest.count ? 0 : 1)) {
                $0 | ($1.0 ^ $1.1)
            }
            if difference == 0 { found = entry.account }
        }
        return found
    }
}
