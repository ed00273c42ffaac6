internal import Common
internal import Queue

extension AuditLog {
    /// Notes each reading of the operator's files while the ingress runs, and each change of the key in Redis.
    func follow(rules: RulesFile, keys: APIKeyAuth?, secrets: SecretsFile, key watch: RedisWatch) {
        follow(secrets)
        follow(watch)
        if let path = rules.path {
            rules.onReading { [self] in note($0, at: path, taken: .rulesReloaded, refused: .rulesRefused) }
        }
        guard let keys, let path = keys.file?.path else { return }
        keys.onReading { [self] in note($0, at: path, taken: .keysReloaded, refused: .keysRefused) }
    }
}
