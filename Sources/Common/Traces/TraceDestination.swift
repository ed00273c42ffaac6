#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A project's place at its trace store: where, and with which keys.
package struct TraceDestination: Sendable, Equatable {
    package var host: BaseURL
    package var keys: LangfuseKeys

    package init(host: BaseURL, keys: LangfuseKeys) {
        self.host = host
        self.keys = keys
    }

    /// The header value for Langfuse's API: `Basic base64(public key:secret key)`. A secret as the keys are.
    package var authorization: SecretString {
        SecretString(
            "Basic " + Data("\(keys.publicKey.reveal()):\(keys.secretKey.reveal())".utf8).base64EncodedString())
    }
}
