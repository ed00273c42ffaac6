internal import Crypto

extension ConfigurationFile {
    /// The bytes of a hash, which are shown as twice as many hexadecimal digits. It tells states of an operator's own
    /// files apart, on which no security rests.
    private static let hashLength = 8

    /// Tells the contents of some files from others: 16 hexadecimal digits of the SHA-256 of their bytes, each file
    /// behind its length. The files' places and names count for nothing.
    package static func hash(of files: [ConfigurationFile]) -> String {
        var hash = SHA256()
        for file in files {
            hash.update(data: Array("\(file.bytes.count):".utf8))
            hash.update(data: file.bytes)
        }
        return String(hexadecimal: Array(hash.finalize().prefix(hashLength)))
    }
}
