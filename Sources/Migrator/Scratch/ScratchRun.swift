import PGClient

/// Runs a file in a scratch database, without a ledger.
struct ScratchRun {
    /// That of the scratch database, with the options for this file.
    let migrator: Migrator
    let database: ScratchDatabase
    /// Called after each statement that was run in a transaction, which is still open.
    var observe: (SQLLexer.Statement, PGTransaction) async throws -> Void = { _, _ in }

    private var connection: PGConnection { self.database.connection }

    /// Throws `MigrationFailure` when the file may not be run there, or a statement fails. What was done before it may stay.
    func run(_ script: MigrationScript) async throws {
        if let refusal = self.database.refusal(of: script) { throw refusal }
        if script.directives.isWithoutTransaction {
            try await self.runOneByOne(script)
        } else {
            try await self.connection.simpleQuery(unsafeSQL: SessionSettings.forgetting.text)
            try await self.connection.withTransaction { transaction in
                try await transaction.simpleQuery(unsafeSQL: self.settings(for: script, isLocal: true))
                for statement in script.statements { try await self.run(statement, of: script, transaction) }
                try await self.reporting(script, nil) {
                    try await transaction.simpleQuery(unsafeSQL: "SET CONSTRAINTS ALL IMMEDIATE")
                }
            }
        }
    }

    private func runOneByOne(_ script: MigrationScript) async throws {
        try await self.connection.simpleQuery(unsafeSQL: self.settings(for: script, isLocal: false))
        for statement in script.statements {
            if StatementKind(script.text(of: statement)) == .ordinary {
                try await self.connection.withTransaction { try await self.run(statement, of: script, $0) }
            } else {
                try await self.reporting(script, statement) {
                    try await self.connection.simpleQuery(unsafeSQL: script.text(of: statement))
                }
            }
        }
    }

    private func run(
        _ statement: SQLLexer.Statement, of script: MigrationScript, _ transaction: PGTransaction
    ) async throws {
        try await self.reporting(script, statement) {
            try await transaction.run(statement, of: script)
        }
        try await self.observe(statement, transaction)
    }

    private func reporting(
        _ script: MigrationScript, _ statement: SQLLexer.Statement?, _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as PGError {
            guard let statement else { throw MigrationFailure(error) }
            throw MigrationFailure(error, in: statement, of: script.file)
        }
    }

    private func settings(for script: MigrationScript, isLocal: Bool) -> String {
        // Nobody else is there to wait for.
        self.migrator.sessionSettings(script, lockTimeout: .zero, self.connection).statements(isLocal: isLocal).text
    }
}
