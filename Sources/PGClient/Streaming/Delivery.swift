/// Where the results of a statement go while it still runs.
enum Delivery: Sendable {
    case rows(Inflow<PGResult>)
    case copyOut(Inflow<[UInt8]>)
    case copyIn(Outflow)

    /// Tells the task of what has arrived.
    func deliver() {
        switch self {
        case .rows(let rows): rows.deliver()
        case .copyOut(let data): data.deliver()
        case .copyIn: break
        }
    }

    func finish(_ error: (any Error)?) {
        switch self {
        case .rows(let rows): rows.finish(error)
        case .copyOut(let data): data.finish(error)
        case .copyIn(let data): data.finish(error)
        }
    }

    /// Returns when the statement has ended; what still comes is dropped.
    func ended() async {
        switch self {
        case .rows(let rows): while let batch = try? await rows.take(), !batch.elements.isEmpty {}
        case .copyOut(let data): while let batch = try? await data.take(), !batch.elements.isEmpty {}
        case .copyIn(let data): await data.ended()
        }
    }
}
