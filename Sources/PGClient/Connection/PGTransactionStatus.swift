import CLibPQ

/// Where a connection stands between statements.
public enum PGTransactionStatus: Sendable {
    case idle
    /// A statement is running.
    case active
    case inTransaction
    /// In a transaction that failed: only ROLLBACK goes.
    case inError
    /// The connection is broken.
    case unknown

    init(_ status: PGTransactionStatusType) {
        switch status {
        case PQTRANS_IDLE: self = .idle
        case PQTRANS_ACTIVE: self = .active
        case PQTRANS_INTRANS: self = .inTransaction
        case PQTRANS_INERROR: self = .inError
        default: self = .unknown
        }
    }
}
