import Foundation
import PGClient
import PGTesting
import Testing

/// Servers that die in every way while their client does everything that it can do.
@Suite struct KillTests {
    enum Death: CaseIterable {
        case terminated
        case killed
        case stoppedAtOnce
    }

    /// What the victim does, in words that `pg_stat_activity` shows.
    enum Deed: String, CaseIterable {
        case query = "SELECT pg_sleep(38)"
        case copy = "COPY t FROM STDIN"
        case commit = "COMMIT"
        case idle = "SELECT 'idle'"
    }

    @Test func everyDeathIsReportedForWhatItWas() async throws {
        try await withTestCluster { cluster in
            try await self.prepare(PGConfiguration(cluster.conninfo))
            for death in Death.allCases {
                for deed in Deed.allCases {
                    let error = try await self.victim(cluster, deed, death)
                    let comment: Comment =
                        "\(death) during \(deed): \(error.map { String(reflecting: $0) } ?? "no error")"
                    #expect(error?.code == (deed == .commit ? .commitInDoubt : .connection), comment)
                    let cause = deed == .commit ? error?.underlying as? PGError : error
                    #expect(cause?.sqlState == (death == .terminated ? "57P01" : nil), comment)
                    if case .stoppedAtOnce = death { try await cluster.start() }
                    // After the death of one process PostgreSQL restarts them all.
                    try await eventually {
                        (try? await self.withNewConnection(cluster) { try await $0.query("SELECT 1") }) != nil
                    }
                }
            }
        }
    }

    private func prepare(_ configuration: PGConfiguration) async throws {
        try await PGConnection.withConnection(configuration, logger: quietLogger) {
            _ = try await $0.simpleQuery(
                unsafeSQL: """
                    CREATE TABLE t (x int);
                    CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(30); RETURN NULL; END$$;
                    CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                        FOR EACH ROW WHEN (NEW.x = 1) EXECUTE FUNCTION linger();
                    """
            )
        }
    }

    private func withNewConnection<R>(
        _ cluster: TestCluster, _ body: (PGConnection) async throws -> R
    ) async throws -> R {
        try await PGConnection.withConnection(PGConfiguration(cluster.conninfo), logger: quietLogger, body)
    }

    /// What the one who did it is told.
    private func victim(_ cluster: TestCluster, _ deed: Deed, _ death: Death) async throws -> PGError? {
        let pid = Counter()
        let isOver = Flag()
        return try await withThrowingTaskGroup(of: PGError?.self) { group in
            group.addTask {
                do {
                    try await self.withNewConnection(cluster) { connection in
                        pid.add(Int(connection.backendPID))
                        try await self.perform(deed, on: connection, until: isOver)
                    }
                    return nil
                } catch let error as PGError {
                    return error
                }
            }
            try await self.withNewConnection(cluster) { observer in
                try await eventually {
                    try await !observer.query(
                        "SELECT 1 FROM pg_stat_activity WHERE pid = \(pid.value) AND query = \(deed.rawValue)"
                    ).isEmpty
                }
                if case .terminated = death {
                    try await observer.query("SELECT pg_terminate_backend(\(pid.value)::int)")
                }
            }
            switch death {
            case .terminated: break
            case .killed: kill(pid_t(pid.value), SIGKILL)
            case .stoppedAtOnce: try await cluster.stop(.immediate)
            }
            try await eventually { kill(pid_t(pid.value), 0) != 0 }
            isOver.set()
            return try await group.next() ?? nil
        }
    }

    private func perform(_ deed: Deed, on connection: PGConnection, until isOver: Flag) async throws {
        switch deed {
        case .query:
            try await connection.query("SELECT pg_sleep(38)")
        case .copy:
            try await connection.copyIn("COPY t FROM STDIN") { writer in
                while true { try await writer.write(Array("2\n".utf8)) }
            }
        case .commit:
            try await connection.withTransaction { try await $0.execute("INSERT INTO t VALUES (1)") }
        case .idle:
            try await connection.query("SELECT 'idle'")
            try await eventually { isOver.isSet }
            try await connection.query("SELECT 1")
        }
    }
}
