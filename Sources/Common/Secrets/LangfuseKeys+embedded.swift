internal import Crypto

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension LangfuseKeys {
    /// A project's keys at a trace store of the gateway's own, where the secrets file gives none: derived from the
    /// gateway's key (HKDF, RFC 5869), so that all its processes know them and none keeps them. In Langfuse's form:
    /// `pk-lf-…`, `sk-lf-…`.
    package init(embedded project: String, key: GatewayKey) {
        let derived = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: key.reveal()),
            info: Array("metadata-gateway langfuse \(project)".utf8), outputByteCount: 32)
        let hex = derived.withUnsafeBytes { bytes in bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) } }
        self.init(
            publicKey: SecretString("pk-lf-" + hex[..<12].joined()),
            secretKey: SecretString("sk-lf-" + hex[12...].joined()))
    }
}
