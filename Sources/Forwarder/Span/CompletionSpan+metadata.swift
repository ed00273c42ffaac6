internal import Common
internal import Policies

extension CompletionSpan {
    /// The metadata without secrets: what is one by its name is left out, and what looks like one is replaced.
    func shownMetadata(_ redactor: SecretRedactor) -> [ResolvedMetadata.Entry] {
        ShownText.metadata(metadata, clean: redactor.clean)
    }

    /// The ids and the metadata as the trace's metadata. What the body says under the same names counts less.
    func traceMetadata(_ metadata: [ResolvedMetadata.Entry]) -> SpanObject {
        var object = SpanObject()
        object.add("insertion_id", insertionID.description)
        object.add("project_id", project)
        for (name, value) in rollout?.metadata ?? [] { object.add(name, value) }
        for entry in metadata { object.add(entry.key, entry.value) }
        return object
    }

    /// The tags of the body and of the metadata, each once. Behind them come the ids.
    func tags(_ request: SpanRequest, _ metadata: [ResolvedMetadata.Entry], before ids: [String]) -> [String] {
        guard !(request.tags.isEmpty && metadata.isEmpty) else { return [] }
        // A LiteLLM proxy gets the ids as tags too; they shall not stand before themselves.
        var seen = Set(ids.map { Array($0.utf8) })
        let tags = request.tags + SpanLimits.first(of: metadata.map(\.tag))
        return tags.filter { seen.insert(Array($0.utf8)).inserted }
    }

    /// An object of the metadata's keys with their sources.
    func writeOrigins(_ writer: inout SpanWriter, _ metadata: [ResolvedMetadata.Entry]) {
        guard !metadata.isEmpty else { return }
        var origins = SpanObject()
        for entry in metadata { origins.add(entry.key, entry.origin.name) }
        writer.text(.metadataOrigins, [origins.piece])
    }
}
