/// Why a message did not go out.
struct DeliveryFailure: Error, Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Something may be better later: no connection, a server that is busy, a setting that is wrong.
        case temporary
        /// The other side has refused this message for good.
        case permanent
    }

    let kind: Kind
    /// For operators: the other side's words where it said something. May name the recipient.
    let reason: String

    static func temporary(_ reason: String) -> DeliveryFailure {
        DeliveryFailure(kind: .temporary, reason: reason)
    }

    static func permanent(_ reason: String) -> DeliveryFailure {
        DeliveryFailure(kind: .permanent, reason: reason)
    }
}
