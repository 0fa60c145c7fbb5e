import Logging
import PGClient
import PGTesting
import Synchronization
import Testing

@testable import FlexiServer

/// What a request is about may be deleted while it is under way.
@Suite("Removal meanwhile")
struct RemovalTests {
    /// What is deleted: the caller, what the path names, or what the request puts together with it.
    enum Removed: CaseIterable {
        case caller
        case account
        case contact
        case stranger
        case otherType

        func statements(_ full: FullAccount, _ caller: TestAccount) -> (lock: PGQuery, deletion: PGQuery) {
            let id =
                switch self {
                case .caller: caller.id.rawValue
                case .account: full.id
                case .contact: full.contact.id
                case .stranger: full.stranger.id
                case .otherType: full.otherType
                }
            return self == .otherType
                ? (
                    "SELECT FROM flexi.account_types WHERE id = \(id) FOR UPDATE",
                    "DELETE FROM flexi.account_types WHERE id = \(id)"
                )
                : (
                    "SELECT FROM flexi.accounts WHERE id = \(id) FOR UPDATE",
                    "DELETE FROM flexi.accounts WHERE id = \(id)"
                )
        }
    }

    @Test(arguments: Removed.allCases)
    func isNoDefectOnAnyRoute(_ removed: Removed) async throws {
        try await withServer(WholeAPI.settings) { server in
            let removal = Removal(on: server)
            for (number, row) in AccessMatrix.rows.enumerated() where !row.needsNeighbour {
                let full = try await FullAccount.make("\(number)", on: server)
                let caller = try await server.account("caller.\(number)", admin: .domain)
                let key = try await server.apiKey(of: caller)
                let reply = try await removal.reply(while: removed.statements(full, caller)) {
                    try await server.send(
                        row.route.method, full.target(row.route), [caller.from, ("x-api-key", key)],
                        json: full.body(row.route, "\(number)"))
                }
                #expect(reply.status < 500, "\(row.route): \(reply.text)")
            }
        }
    }
}

/// Deletes while a request is under way.
private struct Removal {
    private let deleter: PGClient

    init(on server: TestServer) {
        self.deleter = PGClient(server.database.configuration, logger: Logger(label: "test"))
    }

    /// What is to be deleted is locked, as by the deletion itself, and deleted when the request waits for that, or needed not to. Fails
    /// when each waits for the other.
    func reply(
        while statements: (lock: PGQuery, deletion: PGQuery), _ send: @escaping @Sendable () async throws -> HTTPReply
    ) async throws -> HTTPReply {
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let isAnswered = Flag()
        async let reply = {
            defer { isAnswered.raise() }
            for await _ in begun {}
            return try await send()
        }()
        do {
            defer { begin.finish() }
            try await self.deleter.withTransaction { transaction in
                try await transaction.execute(statements.lock)
                let holder = try await transaction.query("SELECT pg_backend_pid()")[0].decode(Int32.self)
                begin.finish()
                while !isAnswered.isRaised,
                    try await self.deleter.query(
                        "SELECT FROM pg_stat_activity WHERE \(holder) = ANY(pg_blocking_pids(pid))"
                    ).isEmpty
                {
                    await Task.yield()
                }
                try await transaction.execute(statements.deletion)
            }
        }
        return try await reply
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)

    var isRaised: Bool { self.value.load(ordering: .acquiring) }

    func raise() { self.value.store(true, ordering: .releasing) }
}
