import CLibPQ
import Glibc

/// A request to stop what a session is running, to be sent once, over a connection that is made for it.
final class CancelRequest: @unchecked Sendable {
    // Made by the loop's thread, sent by another. What libpq gave for it is a copy of its own, used by that thread alone.

    private enum Way {
        /// A packet with the session's number and key, in the clear.
        case plain(OpaquePointer)
        /// The same packet, encrypted where the session is.
        case libpq17(OpaquePointer)
        /// Another session, which tells the server to stop the one with this number.
        case login(ConnectParameters, backendPID: Int32)
    }

    private let way: Way

    /// Nil when libpq cannot make one.
    init?(to channel: Channel) {
        guard let connection = channel.connection else { return nil }
        if let libpq = LibPQ17.shared {
            guard let handle = libpq.create(connection) else { return nil }
            self.way = .libpq17(handle)
        } else if channel.driver.configuration.encryptsCancelRequests, let parameters = channel.parameters,
            let way = parameters.encrypted(as: connection)
        {
            self.way = .login(way, backendPID: PQbackendPID(connection))
        } else {
            guard let handle = PQgetCancel(connection) else { return nil }
            self.way = .plain(handle)
        }
    }

    deinit {
        switch self.way {
        case .plain(let handle): PQfreeCancel(handle)
        case .libpq17(let handle): LibPQ17.shared?.finish(handle)
        case .login: break
        }
    }

    /// Returns when the server has closed the connection that it came by, or with a failure, which changes nothing.
    func send() {
        switch self.way {
        case .plain(let handle):
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
                _ = PQcancel(handle, buffer.baseAddress, 256)
            }
        case .libpq17(let handle):
            _ = LibPQ17.shared?.sendBlocking(handle)
        case .login(let parameters, let pid):
            let session = parameters.withKeywordsAndValues { PQconnectdbParams($0, $1, 0) }
            defer { PQfinish(session) }
            guard PQstatus(session) == CONNECTION_OK else { return }
            // libpq would write the warning that the session is gone already to the standard error stream.
            _ = PQsetNoticeReceiver(session, { _, _ in }, nil)
            PQclear(PQexec(session, "SELECT pg_cancel_backend(\(pid))"))
        }
    }
}

/// What libpq has for cancelling since version 17; looked up when the program runs, so that it builds with an older one.
struct LibPQ17: Sendable {
    typealias Create = @convention(c) @Sendable (OpaquePointer) -> OpaquePointer?
    typealias SendBlocking = @convention(c) @Sendable (OpaquePointer) -> Int32
    typealias Finish = @convention(c) @Sendable (OpaquePointer) -> Void

    /// Nil with an older libpq.
    static let shared = LibPQ17()

    let create: Create
    let sendBlocking: SendBlocking
    let finish: Finish

    private init?() {
        guard let create = dlsym(nil, "PQcancelCreate"), let send = dlsym(nil, "PQcancelBlocking"),
            let finish = dlsym(nil, "PQcancelFinish")
        else { return nil }
        self.create = unsafeBitCast(create, to: Create.self)
        self.sendBlocking = unsafeBitCast(send, to: SendBlocking.self)
        self.finish = unsafeBitCast(finish, to: Finish.self)
    }
}
