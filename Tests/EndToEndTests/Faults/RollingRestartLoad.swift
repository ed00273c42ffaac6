import Common
import TestSupport

/// Steady load: clients that each make one call after the other, and take note of all that is not the whole answer.
actor RollingRestartLoad {
    private static let models = [
        "mock/echo?delay_ms=20", "mock/echo?delay_ms=300", "mock/echo?delay_ms=1500", "mock/echo?chunks=10&pace_ms=30",
    ]

    private(set) var succeeded = 0
    private(set) var failures: [String] = []
    private var isOver = false

    func stop() { isOver = true }

    /// Plays one client until the load is stopped.
    /// - Parameter isPersistent: whether it keeps its connection, or opens one for each call.
    nonisolated func client(_ number: Int, isPersistent: Bool, to port: Int) async throws {
        let model = Self.models[number % Self.models.count]
        let body = ServeTests.body(model, stream: model.contains("chunks"))
        var goesOn = true
        while goesOn {
            do {
                try await withRawClient(to: port) { client in
                    repeat {
                        let answer = try await client.call("POST", ServeTests.path, body: body)
                        goesOn = await note(answer, of: model)
                    } while goesOn && isPersistent
                }
            } catch { goesOn = await note("\(model): \(error)") }
        }
    }

    /// - Returns: whether the load goes on.
    private func note(_ answer: HTTPAnswer, of model: String) -> Bool {
        let isWhole = answer.text.contains(model.contains("chunks") ? "data: [DONE]" : #""finish_reason""#)
        guard answer.status == 200, isWhole else { return note("\(model): \(answer.status) \(answer.text)") }
        succeeded += 1
        return !isOver
    }

    private func note(_ failure: String) -> Bool {
        failures.append(failure)
        return !isOver
    }
}
