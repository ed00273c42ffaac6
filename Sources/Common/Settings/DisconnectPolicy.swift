/// The fate of a call whose client has gone away.
package enum DisconnectPolicy: String, Sendable, CaseIterable {
    /// The call to the provider is aborted and the completion counts as not made.
    case cancel
    /// The call goes on to its end and is traced.
    case finish
}
