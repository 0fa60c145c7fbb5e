/// A neighbour that did not do what it was asked, or not in time. It becomes a 503.
struct GatewayFailure: Error {
    let neighbour: Neighbour
    /// For the log alone: it names paths, and quotes what the neighbour said.
    let reason: String

    init(_ neighbour: Neighbour, _ reason: String) {
        self.neighbour = neighbour
        self.reason = reason
    }
}
