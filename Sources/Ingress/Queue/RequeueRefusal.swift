internal import Common
internal import Queue

/// The reason why a dead letter is not queued again.
enum RequeueRefusal: Sendable, Equatable {
    case withheld, tooLarge, unreadable, question, clientKey, clientURL, projectGone

    /// Completes "It is not queued again: …".
    var text: String {
        switch self {
        case .withheld: "its request is kept out of logs and traces, and so it is not in the letter"
        case .tooLarge: "its request is larger than a letter keeps (\(JobStream.deadLetterBytes >> 10) KiB)"
        case .unreadable: "its request cannot be read: another GATEWAY_KEY or a later version has sealed it"
        case .question: "it was a question about a rollout or the log, and whom it was for has gone"
        case .clientKey: "its client's own provider key came with it, which serves that one request"
        case .projectGone: "its project is no longer in SECRETS_PATH"
        case .clientURL: "its client chose the server, and called it with a key of its own"
        }
    }
}

extension DeadLetterController.Opened {
    /// Nil: it can be queued again.
    var refusal: RequeueRefusal? {
        switch letter.content {
        case .withheld: return .withheld
        case .none: return letter.bytes > JobStream.deadLetterBytes ? .tooLarge : .unreadable
        case .sealed:
            guard let job, let queue else { return .unreadable }
            if queue != .completions { return .question }
            if isOrphaned { return .projectGone }
            if job.isWithheld { return .withheld }
            if job.baseURL != nil { return .clientURL }
            return job.clientKey == nil ? nil : .clientKey
        }
    }
}
