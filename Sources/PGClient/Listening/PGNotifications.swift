/// The notifications that a connection receives, for as long as it is on loan.
///
/// It never ends by itself: it throws `PGError` when the connection is lost or was given back. Of a task that is cancelled the wait ends
/// with `CancellationError`; what comes later is there for another iteration. What nobody takes waits at the server, beyond a
/// megabyte here.
public struct PGNotifications: AsyncSequence, Sendable {
    public typealias Element = PGNotification

    let connection: PGConnection
    let inflow: Inflow<PGNotification>

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: self)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let source: PGNotifications
        private var batch: [PGNotification] = []
        private var position = 0

        fileprivate init(source: PGNotifications) {
            self.source = source
        }

        public mutating func next() async throws -> PGNotification? {
            if self.position == self.batch.count {
                self.batch = try await self.source.connection.batch(of: self.source.inflow)
                self.position = 0
            }
            guard self.position < self.batch.count else { return nil }
            defer { self.position += 1 }
            return self.batch[self.position]
        }
    }
}

extension PGConnection {
    /// Listens on the channels, besides those it listens on already, and returns what is sent on any of them from now on.
    ///
    /// In a transaction it takes effect at the commit. Throws as `query` does, and ``PGError/Code/behindPooler``.
    public func listen(to channels: PGIdentifier...) async throws -> PGNotifications {
        try await self.listen(to: channels)
    }

    func listen(to channels: [PGIdentifier]) async throws -> PGNotifications {
        let server = try await self.query("SELECT pg_backend_pid() AS pid").only?.decode("pid", as: Int32.self)
        guard server == self.backendPID else {
            throw PGError(
                .behindPooler,
                message:
                    "LISTEN needs a session of its own, and a pooler stands before the server: connect to the server itself"
            )
        }
        let inflow = Inflow<PGNotification>()
        try self.loop.post(.watch(self.lease, inflow))
        for channel in channels { try await self.query("LISTEN \(identifier: channel)") }
        return PGNotifications(connection: self, inflow: inflow)
    }

    fileprivate func batch(of inflow: Inflow<PGNotification>) async throws -> [PGNotification] {
        let batch = try await withTaskCancellationHandler {
            try await inflow.take(untilCancelled: true)
        } onCancel: {
            inflow.wakeCancelled()
        }
        if batch.wasHeldBack { self.loop.tell(.readOn(self.lease)) }
        return batch.elements
    }
}
