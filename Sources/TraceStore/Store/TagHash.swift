internal import Crypto

/// A tag as the index knows it: 64 bits of the SHA-256 of its project and its text. Most tags are long, and many stand
/// in the index a million times. In 64 bits, two of a million tags collide in one of tens of millions of stores. A page
/// would then show a row too many.
enum TagHash {
    static func of(_ tag: String, project: Int64) -> Int64 {
        var hash = SHA256()
        withUnsafeBytes(of: project.littleEndian) { hash.update(bufferPointer: $0) }
        var tag = tag
        tag.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return hash.finalize().withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(as: Int64.self)) }
    }
}
