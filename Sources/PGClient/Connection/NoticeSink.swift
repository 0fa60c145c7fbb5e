import CLibPQ
import Logging

/// Takes the notices of one connection from libpq, which calls it in the middle of reading.
final class NoticeSink {
    private let handler: (@Sendable (PGNotice) -> Void)?
    private let logger: Logger
    /// How many were ever received.
    private(set) var count = 0
    /// The server said goodbye on a connection that had nothing to do; libpq reports that as a notice.
    private(set) var farewell: PGError?

    init(handler: (@Sendable (PGNotice) -> Void)?, logger: Logger) {
        self.handler = handler
        self.logger = logger
    }

    /// The sink must live until `PQfinish`.
    func attach(to connection: OpaquePointer) {
        _ = PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context, let result else { return }
                Unmanaged<NoticeSink>.fromOpaque(context).takeUnretainedValue().receive(result)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    private func receive(_ result: OpaquePointer) {
        self.count += 1
        let error = PGError(result: result, query: nil)
        guard !error.endsSession else {
            if self.farewell == nil { self.farewell = error }
            return
        }
        let notice = PGNotice(
            severity: error.severity ?? "NOTICE",
            sqlState: error.sqlState ?? "00000",
            message: error.message,
            detail: error.detail,
            hint: error.hint
        )
        if let handler {
            handler(notice)
        } else {
            self.logger.log(
                level: notice.severity == "WARNING" ? .warning : .debug,
                "notice from the database server",
                metadata: [
                    "pg.severity": "\(notice.severity)", "pg.sqlState": "\(notice.sqlState)",
                    "pg.message": "\(notice.message)",
                ]
            )
        }
    }
}
