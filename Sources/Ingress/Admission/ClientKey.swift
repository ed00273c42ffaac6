internal import Common
internal import HTTPTypes

/// The client's own key at a provider, whichever header carries it.
enum ClientKey {
    /// The one key of the request.
    /// - Parameters:
    ///   - bearer: the token of `Authorization`.
    ///   - isGateways: whether that token is a key of this gateway, which no provider may see, in whichever header it
    ///     stands.
    /// - Throws: 400 if the request holds two.
    static func read(_ fields: HTTPFields, bearer: String?, isGateways: Bool) throws(GatewayError) -> SecretString? {
        var keys = isGateways ? [] : [bearer].compactMap { $0 }
        for field in fields where ProviderKeyHeaders.contains(field.name.rawName) {
            let key = Substring(field.value.unicodeScalars.drop { $0 == " " })
            let isBearer = key.utf8.prefix(7).map(\.asciiLowercased).elementsEqual("bearer ".utf8)
            let token = isBearer ? Substring(key.dropFirst(7).unicodeScalars.drop { $0 == " " }) : key
            guard !token.isEmpty, !(isGateways && bearer.map { $0.utf8.elementsEqual(token.utf8) } ?? false) else {
                continue
            }
            keys.append(String(token))
        }
        return try single(keys).map(SecretString.init)
    }

    /// Takes the key out of the query, where Google's clients may write it (`?key=`).
    static func moveFromQuery(of job: inout Job) throws(GatewayError) {
        guard PathModel.isGoogles(job.path), let query = job.query else { return }
        var others: [Substring] = []
        var keys: [String] = []
        for item in query.split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentDecoding.bytes(parts[0].utf8), name.elementsEqual("key".utf8), parts.count == 2
            else {
                others.append(item)
                continue
            }
            keys += [try QueryItems(String(item)).value("key")].compactMap { $0 }
        }
        guard !keys.isEmpty else { return }
        job.clientKey = try single(keys + [job.clientKey?.reveal()].compactMap { $0 }).map(SecretString.init)
        job.query = others.isEmpty ? nil : others.joined(separator: "&")
    }

    private static func single(_ keys: [String]) throws(GatewayError) -> String? {
        guard let first = keys.first else { return nil }
        guard keys.allSatisfy({ $0 == first }) else {
            throw .invalidRequest(
                code: "ambiguous_api_key",
                "The request holds two different keys. Send one, as `Authorization: Bearer <key>` or in one of the headers "
                    + ProviderKeyHeaders.names.map { "`\($0)`" }.joined(separator: ", ") + ".",
                param: "authorization")
        }
        return first
    }
}
