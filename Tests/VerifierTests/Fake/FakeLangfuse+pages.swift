import Common
import JSON
import NIOConcurrencyHelpers

@testable import Verifier

/// The pages that the server sends.
extension FakeLangfuse {
    /// `GET /api/public/v2/observations`.
    func observations(_ items: QueryItems) -> Reply {
        let limit = Int(items.value("limit") ?? "") ?? 50
        guard limit <= 1000 else { return Reply(400, body: #"{"message":"Invalid request data"}"#) }
        let fields = Set((items.value("fields") ?? "core,basic").split(separator: ",").map(String.init))
        let whole = Set((items.value("expandMetadata") ?? "").split(separator: ",").map(String.init))
        let all = matching(items, from: "fromStartTime", to: "toStartTime")
        let start =
            items.value("cursor").flatMap { cursor in all.firstIndex { $0.span.key < cursor } ?? all.count } ?? 0
        var rows: [String] = []
        var index = start
        while index < all.count, rows.count < limit {
            for _ in 0..<all[index].copies { rows.append(row(all[index].span, fields, whole: whole)) }
            index += 1
        }
        let cursor = index < all.count && index > 0 ? #""cursor":"\#(all[index - 1].span.key)""# : ""
        return Reply(200, body: #"{"data":[\#(rows.joined(separator: ","))],"meta":{\#(cursor)},"_deprecation":null}"#)
    }

    /// `GET /api/public/v3/scores`. The cursor is the number of the scores before the page.
    func scores(_ items: QueryItems) -> Reply {
        guard let scores = state.withLockedValue({ $0.scores }) else {
            return Reply(404, body: #"{"message":"Not found"}"#)
        }
        let (limit, first) = (Int(items.value("limit") ?? "") ?? 50, Int(items.value("cursor") ?? "") ?? 0)
        guard limit <= 100, items.value("fields") == "details,subject" else { return Reply(400) }
        let all = (items.value("traceId") ?? "").split(separator: ",").flatMap { scores[String($0)] ?? [] }
        let page = all.dropFirst(first).prefix(limit)
        let cursor = first + limit < all.count ? #","cursor":"\#(first + limit)""# : ""
        return Reply(200, body: #"{"data":[\#(page.joined(separator: ","))],"meta":{"limit":\#(limit)\#(cursor)}}"#)
    }

    /// Gives a trace scores of these values, each a JSON value, the newest first.
    func give(_ id: InsertionID, scores values: [String]) {
        let shown = values.enumerated().map { index, value in
            let type = value.hasPrefix("\"") ? "CATEGORICAL" : "NUMERIC"
            let subject =
                index == 0
                ? #"{"kind":"trace","id":"\#(id.hex)"}"#
                : #"{"kind":"observation","id":"o","traceId":"\#(id.hex)"}"#
            return #"{"id":"\#(index)","projectId":"p","name":"n\#(index)","dataType":"\#(type)","value":\#(value),"#
                + #""source":"API","timestamp":"2026-01-01T00:00:00.000Z","environment":"default","comment":"c","#
                + #""configId":null,"metadata":{"m":1},"subject":\#(subject)}"#
        }
        state.withLockedValue { $0.scores?[id.hex] = shown }
    }

    /// `GET /api/public/traces`.
    func traces(_ items: QueryItems) -> Reply {
        let (limit, page) = (Int(items.value("limit") ?? "") ?? 50, Int(items.value("page") ?? "") ?? 1)
        guard limit <= 100 else { return Reply(400, body: #"{"message":"Invalid request data"}"#) }
        let hasIO = items.value("fields")?.contains("io") == true
        let all = matching(items, from: "fromTimestamp", to: "toTimestamp")
        let rows = all.dropFirst((page - 1) * limit).prefix(limit).map {
            trace($0.span, hasIO: hasIO, observations: "[]")
        }
        let pages = (all.count + limit - 1) / limit
        return Reply(
            200,
            body:
                #"{"data":[\#(rows.joined(separator: ","))],"meta":{"page":\#(page),"limit":\#(limit),"totalItems":\#(all.count),"totalPages":\#(pages)}}"#
        )
    }

    /// `GET /api/public/traces/{id}`.
    func trace(_ id: String) -> Reply {
        guard let span = state.withLockedValue({ state in state.spans.values.first { $0.span.traceID == id }?.span })
        else {
            return Reply(
                404,
                body: #"{"message":"Trace \#(id) not found within authorized project","error":"LangfuseNotFoundError"}"#
            )
        }
        return Reply(
            200,
            body: trace(
                span, hasIO: true,
                observations: "[\(row(span, ["core", "basic", "io", "metadata", "model", "usage"], isParsed: true))]"))
    }

    /// What the conditions leave, newest first.
    private func matching(_ items: QueryItems, from: String, to: String) -> [(span: FakeSpan, copies: Int)] {
        let start = items.value(from).flatMap(TimeText.milliseconds) ?? 0
        let end = items.value(to).flatMap(TimeText.milliseconds) ?? .max
        let (column, values) = condition(items)
        return state.withLockedValue { state in
            if state.order.isEmpty { state.order = state.spans.keys.sorted(by: >) }
            return state.order.compactMap { state.spans[$0] }.filter { entry in
                guard (start..<end).contains(entry.span.start) else { return false }
                return column == "tags"
                    ? entry.span.tags.contains { values.contains($0) } : values.contains(entry.span.traceID)
            }
        }
    }

    private func condition(_ items: QueryItems) -> (column: String, values: Set<String>) {
        if let filter = items.value("filter"), let json = LangfuseJSON(Array("{\"f\":\(filter)}".utf8)),
            let one = json.objects("f")?.first
        {
            return (one.text("column") == "tags" ? "tags" : "id", Set(one.texts("value") ?? []))
        }
        return ("tags", Set(items.values("tags")))
    }

    private func row(_ span: FakeSpan, _ fields: Set<String>, whole: Set<String> = [], isParsed: Bool = false) -> String
    {
        let time = TimeText.iso(span.start)
        var members = [
            #""id":"\#(span.spanID)","traceId":"\#(span.traceID)","startTime":"\#(time)","endTime":"\#(time)","parentObservationId":null,"type":"GENERATION""#
        ]
        if fields.contains("basic") {
            members.append(
                #""name":"litellm_request","userId":\#(quoted(span.userID)),"sessionId":\#(quoted(span.sessionID))"#)
            members.append(#""environment":"\#(span.environment)","version":"\#(span.version)""#)
        }
        if fields.contains("trace_context") {
            members.append(
                #""tags":[\#(span.tags.map { quoted($0) }.joined(separator: ","))],"release":"\#(span.release)","traceName":"\#(span.name)""#
            )
        }
        if fields.contains("io") {
            members.append(
                #""input":\#(isParsed ? span.input : quoted(span.input)),"output":\#(isParsed ? span.output : quoted(span.output))"#
            )
        }
        if fields.contains("metadata") {
            members.append(
                "\"metadata\":"
                    + metadata(span, isParsed: isParsed) {
                        isParsed || whole.contains($0) ? $1 : String($1.prefix(200))
                    })
        }
        if fields.contains("model") {
            members.append(#""\#(isParsed ? "model" : "providedModelName")":\#(quoted(span.model))"#)
        }
        if fields.contains("usage") { members.append(#""usageDetails":\#(span.usage)"#) }
        return "{\(members.joined(separator: ","))}"
    }

    private func trace(_ span: FakeSpan, hasIO: Bool, observations: String) -> String {
        var members = [
            #""id":"\#(span.traceID)","timestamp":"\#(TimeText.iso(span.start))","name":"\#(span.name)","userId":\#(quoted(span.userID))"#
        ]
        members.append(
            #""sessionId":\#(quoted(span.sessionID)),"environment":"\#(span.environment)","version":"\#(span.version)""#
        )
        members.append(
            #""release":"\#(span.release)","tags":[\#(span.tags.map { quoted($0) }.joined(separator: ","))]"#)
        if hasIO {
            members.append(
                #""input":\#(span.input),"output":\#(span.output),"metadata":\#(metadata(span, isParsed: true) { $1 })"#
            )
        }
        let scores = (state.withLockedValue { $0.scores?[span.traceID] } ?? []).compactMap { score in
            LangfuseJSON(Array(score.utf8)).map(older)
        }
        members.append(#""observations":\#(observations),"scores":[\#(scores.joined(separator: ","))]"#)
        return "{\(members.joined(separator: ","))}"
    }

    /// A score as the first API shows it.
    private func older(_ score: LangfuseJSON) -> String {
        let isText = score.isString("value")
        let value = String(decoding: score.value("value"), as: UTF8.self)
        let observation = score.nested("subject").flatMap { $0.text("kind") == "observation" ? $0.text("id") : nil }
        let rest = String(decoding: score.without(["value", "subject"]), as: UTF8.self)
        return rest.dropLast() + #","value":\#(isText ? "0" : value),"stringValue":\#(isText ? value : "null"),"#
            + #""observationId":\#(quoted(observation))}"#
    }

    private func metadata(
        _ span: FakeSpan, isParsed: Bool, _ shown: (_ name: String, _ value: String) -> String
    ) -> String {
        var members = span.ownMetadata.sorted(by: <).map { "\(quoted($0.key)):\(quoted(shown($0.key, $0.value)))" }
        // Servers of version 4 do not keep the attributes.
        if hasAttributes {
            members.append(
                "\"attributes\":" + (isParsed ? span.attributes : quoted(shown("attributes", span.attributes))))
        }
        return "{\(members.joined(separator: ","))}"
    }

    private func quoted(_ text: String?) -> String {
        text.map { String(decoding: JSONText.quoted($0), as: UTF8.self) } ?? "null"
    }
}
