internal import Common
internal import JSON

/// Looks into JSON that a trace store sent. A member that is absent, null or of another kind than is wanted counts as
/// absent.
struct LangfuseJSON: Sendable {
    static let null = Array("null".utf8)
    /// Deeper than anything that a client could send through the gateway, in one more layer of envelope.
    private static let maximumDepth = 2000

    let object: JSONObject

    /// Nil unless the text is one JSON object.
    init?(_ bytes: [UInt8]) {
        do throws(JSONScanError) { object = try JSONObject.scan(bytes, maximumDepth: Self.maximumDepth) } catch {
            return nil
        }
    }

    private init(_ object: JSONObject) { self.object = object }

    var names: [String] { object.members.compactMap(object.name) }

    func text(_ name: String) -> String? { object.member(name).flatMap(object.string) }

    func texts(_ name: String) -> [String]? { object.member(name).flatMap(object.strings) }

    /// A member as it is written; `null` if it is absent.
    func value(_ name: String) -> [UInt8] { object.member(name).map { Array(object.bytes[$0.value]) } ?? Self.null }

    /// The text that a string holds if that is JSON itself, else the member as it is written. The second API hands
    /// inputs and outputs out as strings, as they were sent; the first one as JSON.
    func unwrapped(_ name: String) -> [UInt8] {
        guard let member = object.member(name) else { return Self.null }
        guard member.kind == .string, let text = object.string(member) else { return Array(object.bytes[member.value]) }
        let inner = Array(text.utf8)
        return Self.isJSON(inner) ? inner : Array(object.bytes[member.value])
    }

    func isString(_ name: String) -> Bool { object.member(name)?.kind == .string }

    /// A whole number; a database may put one of 64 bits in quotes.
    func number(_ name: String) -> Int? { count(name) ?? text(name).flatMap { Int($0) } }

    /// The object without some of its members, which are else as they are written.
    func without(_ names: Set<UTF8Text>) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            for member in object.members {
                if let name = object.name(of: member), names.contains(name) { continue }
                writer.member(rawName: object.bytes[member.key], raw: object.bytes[member.value])
            }
        }
        return writer.bytes
    }

    func nested(_ name: String) -> LangfuseJSON? {
        guard let member = object.member(name) else { return nil }
        do throws(JSONScanError) { return try object.object(member).map(LangfuseJSON.init) } catch { return nil }
    }

    /// The objects of an array; nil if it is not an array, or one of its elements not an object.
    func objects(_ name: String) -> [LangfuseJSON]? {
        guard let elements = object.member(name).flatMap(object.elements) else { return nil }
        var objects: [LangfuseJSON] = []
        objects.reserveCapacity(elements.count)
        for element in elements {
            do throws(JSONScanError) {
                objects.append(
                    LangfuseJSON(
                        try JSONObject.scan(object.bytes, range: element.value, maximumDepth: Self.maximumDepth)))
            } catch { return nil }
        }
        return objects
    }

    func count(_ name: String) -> Int? {
        guard let member = object.member(name), member.kind == .number else { return nil }
        return Int(String(decoding: object.bytes[member.value], as: UTF8.self))
    }

    /// Whether a text is JSON of any kind.
    static func isJSON(_ text: [UInt8]) -> Bool {
        do throws(JSONScanError) {
            _ = try JSONObject.scan(text, maximumDepth: maximumDepth)
            return true
        } catch {
            if case .notAnObject = error.code { return true }
            return false
        }
    }
}

extension TraceBody.Observation {
    /// Reads an observation. Its members have the same names in both APIs, except that the second one has a further
    /// name for the model's.
    init(_ json: LangfuseJSON) {
        self.init(
            id: json.value("id"), type: json.value("type"), name: json.value("name"),
            startTime: json.value("startTime"),
            endTime: json.value("endTime"), input: json.unwrapped("input"), output: json.unwrapped("output"),
            parentID: json.value("parentObservationId"), model: json.text("providedModelName") ?? json.text("model"),
            usage: StoredUsage.json(of: json), finishReasons: StoredMetadata(of: json).finishReasons)
    }
}
