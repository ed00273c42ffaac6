internal import Common
internal import FoundationEssentials
internal import Glibc

/// The environment of the embedded trace store's Langfuse clients, as a file to `source`. Holds a secret: mode 0600.
struct ClientEnvironment {
    static let fileName = "langfuse.env"

    let url: String
    let keys: LangfuseKeys

    func write(to folder: String) throws {
        let text = """
            export LANGFUSE_HOST=\(url.quoted)
            export LANGFUSE_BASE_URL=\(url.quoted)
            export LANGFUSE_PUBLIC_KEY=\(keys.publicKey.reveal().quoted)
            export LANGFUSE_SECRET_KEY=\(keys.secretKey.reveal().quoted)

            """
        let path = "\(folder)/\(Self.fileName)"
        // Made anew under another name, so that no reader gets half of it, and no older file's mode stays.
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(path: draft, code: errno) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, rename(draft, path) == 0 else {
            throw Failure(path: path, code: errno)
        }
    }

    struct Failure: Error, CustomStringConvertible {
        let path: String
        let code: Int32

        var description: String { "\(path): \(String(cString: strerror(code)))" }
    }
}

extension String {
    /// As a shell reads it back to the byte.
    fileprivate var quoted: String {
        "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
