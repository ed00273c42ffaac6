/// One project's keys at Langfuse. Both halves are kept from view: the pair is a password.
package struct LangfuseKeys: Sendable, Equatable {
    package var publicKey: SecretString
    package var secretKey: SecretString

    package init(publicKey: SecretString, secretKey: SecretString) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }
}
