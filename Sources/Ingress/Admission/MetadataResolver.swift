internal import Common
internal import HTTPTypes
internal import Policies

/// Resolves the metadata of requests: what a later source says replaces what an earlier one says.
struct MetadataResolver: Sendable {
    /// Headers that are read beside `X-TFY-METADATA`.
    private let headers: [MetadataHeader]

    init(headers: [MetadataHeader] = []) { self.headers = headers }

    /// The metadata of a request from its headers and the client's key, in this order.
    /// - Throws: 400 for headers that cannot be read.
    func resolve(_ fields: HTTPFields, of account: Account?) throws(GatewayError) -> ResolvedMetadata {
        var metadata = try carried(by: fields)
        guard let own = account?.metadata, !own.isEmpty else { return metadata }
        for (key, value) in own.sorted(by: { $0.key < $1.key })
        where MetadataRule.fault(ofKey: key.text) == nil && MetadataRule.fault(ofValue: value) == nil {
            metadata.set(key.text, to: value, from: .key)
        }
        return metadata
    }

    private func carried(by fields: HTTPFields) throws(GatewayError) -> ResolvedMetadata {
        // Nearly all requests end here, after one look.
        guard !headers.isEmpty || fields.contains(.metadata) else { return ResolvedMetadata() }
        var carried = CarriedMetadata()
        let own = fields[values: .metadata]
        guard own.count <= 1 else {
            throw .invalidMetadata(CarriedMetadata.header, "the request has it \(own.count) times; send one object")
        }
        if let value = own.first { try carried.add(value) }
        for header in headers {
            for field in fields where CarriedMetadata.isCarrier(field.name.rawName, of: header) {
                try carried.add(field.value, named: field.name.rawName, of: header)
            }
        }
        return carried.metadata
    }
}

extension HTTPField.Name {
    fileprivate static let metadata = HTTPField.Name(CarriedMetadata.header) ?? .expect
}
