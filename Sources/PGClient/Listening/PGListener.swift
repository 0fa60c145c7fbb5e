import Logging

/// What a `PGListener` reports.
public enum PGListenEvent: Sendable {
    /// It listens from now on. What was sent before was missed: this is the moment to look at the table that the notifications are
    /// about. Comes first, and again after each `lost`.
    case listening
    case notification(PGNotification)
    /// The connection is gone, or could not be made; it is being made anew.
    case lost(PGError)
}

/// Notifications of some channels, through lost connections and restarts of the server.
///
/// Each iteration has a connection of its own beside the pool. A server that falls silent is found out by asking it every 30
/// seconds. The sequence ends when the task is cancelled, by `CancellationError`; it throws `PGError` when connecting again is
/// bound to fail, as with a wrong password or behind a pooler.
public struct PGListener: AsyncSequence, Sendable {
    public typealias Element = PGListenEvent

    let configuration: PGConfiguration
    let channels: [PGIdentifier]
    let logger: Logger

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(listener: self)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let listener: PGListener
        private let loop: OwnedLoop
        private var notifications: PGNotifications.AsyncIterator?
        private var failures = 0

        fileprivate init(listener: PGListener) {
            self.listener = listener
            self.loop = OwnedLoop(listener.configuration, logger: listener.logger)
        }

        /// The next event; never nil.
        public mutating func next() async throws -> PGListenEvent? {
            do {
                guard self.notifications == nil else {
                    guard let notification = try await self.notifications?.next() else { return nil }
                    return .notification(notification)
                }
                try await self.pause()
                let connection = try await self.loop.connection()
                self.notifications = try await connection.listen(to: self.listener.channels).makeAsyncIterator()
                self.failures = 0
                return .listening
            } catch let error as PGError where !error.isPermanent {
                self.notifications = nil
                self.failures += 1
                return .lost(error)
            }
        }

        /// Waits before the next attempt when the last one failed: the longer, the more of them failed.
        private func pause() async throws {
            guard self.failures > 1 else { return }
            let limits = self.listener.configuration.pool
            let doublings = Swift.min(self.failures - 2, 20)
            let longest = Swift.min(limits.maximumBackoff, limits.initialBackoff * Double(1 << doublings))
            try await Task.sleep(for: longest * Double.random(in: 0.5...1))
        }
    }
}

extension PGClient {
    /// Listens on the channels, beside the pool and for as long as somebody iterates. Notifications sent from the first
    /// `listening` on are delivered; see `PGListenEvent` for what happens when the connection is lost.
    public func listen(to channels: PGIdentifier...) -> PGListener {
        PGListener(configuration: self.configuration, channels: channels, logger: self.logger)
    }
}

/// A loop with room for one connection, which ends with its owner.
private final class OwnedLoop {
    private let loop: IOLoop
    private var lease: Lease?

    init(_ configuration: PGConfiguration, logger: Logger) {
        self.loop = .single(configuration, logger: logger)
    }

    deinit {
        self.loop.stop()
    }

    /// A new connection in place of the one before.
    func connection() async throws -> PGConnection {
        if let lease { self.loop.tell(.release(lease)) }
        self.lease = nil
        let lease = try await self.loop.lease(for: .listener)
        self.lease = lease
        return PGConnection(loop: self.loop, lease: lease)
    }
}
