/// Messages as their template takes them.
struct ConversationView {
    struct Message {
        var role: String
        var roleTone: String
        var isAnswer: Bool
        var answersCall: String?
        var blocks: [Block]
        var calls: [Call]
    }

    struct Block {
        var blockText: String?
        var blockPicture: String?
        var blockJSON: String?
    }

    struct Call {
        var callName: String
        var callArguments: String
    }

    var messages: [Message]
    var tools: [Call]
    var hasTools: Bool
    var toolCount: Int

    /// Messages that a page shows; the trace has all.
    static let most = 500
    var omitted: String?

    init(_ conversation: Conversation) {
        let all = conversation.messages
        messages = all.suffix(Self.most).map { message in
            Message(
                role: message.role, roleTone: Self.tone(message.role), isAnswer: message.isAnswer,
                answersCall: message.answers,
                blocks: message.blocks.map { Block(blockText: $0.text, blockPicture: $0.picture, blockJSON: $0.json) },
                calls: message.calls.map { Call(callName: $0.name, callArguments: $0.arguments) })
        }
        tools = conversation.tools.map { Call(callName: $0.name, callArguments: $0.arguments) }
        hasTools = !tools.isEmpty
        toolCount = tools.count
        omitted = all.count > Self.most ? "\(all.count - Self.most) earlier messages are in the trace" : nil
    }

    /// Roles are clients' text; a class of the page's style is not made of it.
    private static func tone(_ role: String) -> String {
        ["system", "developer", "user", "assistant", "tool"].contains(role) ? role : "other"
    }
}
