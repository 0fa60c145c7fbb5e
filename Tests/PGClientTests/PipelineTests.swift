import PGClient
import PGTesting
import Testing

@Suite struct PipelineTests {
    @Test(arguments: [100, 1000]) func eachStatementHasItsOutcomeAlsoBehindOneThatFailed(count: Int) async throws {
        try await withConnection { connection in
            try await connection.execute("CREATE TABLE t (id int PRIMARY KEY)")
            let outcomes = try await connection.pipeline { pipeline in
                for index in 0..<count {
                    // The one in the middle is there already.
                    let id = index == count / 2 ? 0 : index
                    pipeline.append("INSERT INTO t VALUES (\(id))")
                }
            }
            #expect(outcomes.count == count)
            for (index, outcome) in outcomes.enumerated() {
                switch outcome {
                case .success(let rows): #expect(rows.affectedRows == 1 && index != count / 2)
                case .failure(let error): #expect(error.sqlState == "23505" && index == count / 2)
                }
            }
            let stored = try await connection.query("SELECT count(*) AS n FROM t").only?.decode("n", as: Int.self)
            #expect(stored == count - 1)
        }
    }

    @Test func inATransactionWhatIsBehindAFailureDoesNotRun() async throws {
        try await withConnection { connection in
            try await connection.execute("CREATE TABLE t (id int PRIMARY KEY)")
            let error = await #expect(throws: PGError.self) {
                try await connection.withTransaction { transaction in
                    let outcomes = try await transaction.pipeline { pipeline in
                        for id in [1, 2, 1, 3] { pipeline.append("INSERT INTO t VALUES (\(id))") }
                    }
                    #expect(outcomes.map { (try? $0.get()) != nil } == [true, true, false, false])
                    guard case .failure(let third) = outcomes[2], case .failure(let fourth) = outcomes[3] else {
                        return
                    }
                    #expect(third.sqlState == "23505" && fourth.code == .skipped)
                }
            }
            #expect(error?.code == .commitRolledBack)
            let rows = try await connection.query("SELECT * FROM t")
            #expect(rows.isEmpty)
        }
    }

    @Test func moreStatementsThanAreUnderWayAtATimeFitIntoATransaction() async throws {
        try await withConnection { connection in
            try await connection.execute("CREATE TABLE t (id int)")
            let outcomes = try await connection.withTransaction { transaction in
                try await transaction.pipeline { pipeline in
                    for id in 0..<1500 { pipeline.append("INSERT INTO t VALUES (\(id))") }
                }
            }
            #expect(outcomes.allSatisfy { (try? $0.get().affectedRows) == 1 })
            let stored = try await connection.query("SELECT count(*) AS n FROM t").only?.decode("n", as: Int.self)
            #expect(stored == 1500)
        }
    }

    @Test func answersLargerThanEveryBufferDoNotBlockTheStatementsBehind() async throws {
        try await withConnection { connection in
            let text = String(repeating: "x", count: 300_000)
            let outcomes = try await connection.pipeline { pipeline in
                for index in 0..<20 { pipeline.append("SELECT \(text) AS text, \(index) AS index") }
            }
            for (index, outcome) in outcomes.enumerated() {
                let row = try #require(try outcome.get().only)
                #expect(try row.decode("index") == index)
                #expect(try row.decode("text", as: String.self).utf8.count == text.utf8.count)
            }
        }
    }

    @Test func aStatementThatCannotBeSentKeepsAllFromBeingSent() async throws {
        try await withConnection { connection in
            try await connection.execute("CREATE TABLE t (name text)")
            let error = await #expect(throws: PGError.self) {
                try await connection.pipeline { pipeline in
                    pipeline.append("INSERT INTO t VALUES ('a')")
                    pipeline.append("INSERT INTO t VALUES (\("a\0b"))")
                }
            }
            #expect(error?.code == .invalidParameter)
            let rows = try await connection.query("SELECT * FROM t")
            #expect(rows.isEmpty)
            let none = try await connection.pipeline { _ in }
            #expect(none.isEmpty)
        }
    }

    @Test func aCancelledPipelineStopsAndLeavesTheConnectionUsable() async throws {
        // Each statement has to be stopped; on a busy machine that takes its time.
        try await withClient({ $0.cancelBudget = .seconds(60) }) { observer in
            try await observer.withConnection { connection in
                let task = Task {
                    try await connection.pipeline { pipeline in
                        for _ in 0..<4 { pipeline.append("SELECT pg_sleep(60) AS pipelined") }
                    }
                }
                try await eventually { try await observer.isRunning("AS pipelined") }
                task.cancel()
                await #expect(throws: (any Error).self) { try await task.value }
                try await eventually { try await !observer.isRunning("AS pipelined") }
                let rows = try await connection.query("SELECT 1")
                #expect(rows.count == 1)
            }
        }
    }

    @Test func copyEndsThePipelineAndSaysWhy() async throws {
        try await withConnection { connection in
            let error = await #expect(throws: PGError.self) {
                try await connection.pipeline { $0.append("COPY (SELECT 1) TO STDOUT") }
            }
            #expect(error?.code == .unsupported || error?.code == .server)
        }
    }
}
