/// The identity of a completion within an evaluation, as the URL path gives it. Two are the same if their bytes are.
public struct RolloutIDs: Sendable, Hashable {
    public var rollout: String
    public var invocation: String
    public var experiment: String
    public var run: String
    public var row: String

    public init(rollout: String, invocation: String, experiment: String, run: String, row: String) {
        self.rollout = rollout
        self.invocation = invocation
        self.experiment = experiment
        self.run = run
        self.row = row
    }

    public static func == (left: Self, right: Self) -> Bool { left.texts == right.texts }
    public func hash(into hasher: inout Hasher) { hasher.combine(texts) }

    private var texts: [UTF8Text] { [rollout, invocation, experiment, run, row].map { UTF8Text($0) } }

    /// The tags of one completion, `name:value`, in the order of eval-protocol's gateway.
    public func tags(insertionID: InsertionID) -> [String] {
        [
            "rollout_id:\(rollout)", "insertion_id:\(insertionID)", "invocation_id:\(invocation)",
            "experiment_id:\(experiment)", "run_id:\(run)", "row_id:\(row)",
        ]
    }
}
