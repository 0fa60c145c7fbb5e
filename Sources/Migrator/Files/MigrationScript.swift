internal import OpenSSLCrypto
import PGClient

/// A migration file that was read as SQL and may be applied.
public struct MigrationScript: Sendable {
    public let file: MigrationFile
    public let directives: MigrationDirectives
    let statements: [SQLLexer.Statement]
    /// What undoes the file; nil when it does not say how.
    let down: [SQLLexer.Statement]?

    /// Takes statements that were not looked at.
    init(_ file: MigrationFile, directives: MigrationDirectives, statements: [SQLLexer.Statement]) {
        self.file = file
        self.directives = directives
        self.statements = statements
        self.down = nil
    }

    /// Throws `MigrationFailure` with the place of what cannot be applied: a transaction of its own, a command of psql, a string
    /// without end, a statement that the server refuses in a transaction, or a directive that is unknown or malformed.
    public init(_ file: MigrationFile) throws(MigrationFailure) {
        do throws(SourceProblem) {
            let output = try SQLLexer.split(file.source)
            for statement in output.statements {
                if let refusal = statement.refusal {
                    throw SourceProblem(message: refusal, position: statement.position)
                }
            }
            let (up, down) = try Self.sections(output)
            self.file = file
            self.directives = try MigrationDirectives(output.directives.filter { $0.name != Self.downDirective })
            self.statements = up
            self.down = down
        } catch {
            throw MigrationFailure(.failed, error.message, place: .init(file, error.position))
        }
        for statement in self.statements + (self.down ?? []) { try self.check(statement) }
    }

    private static let downDirective = "down"

    /// What stands above the line `-- migrate:down`, and what stands below it.
    private static func sections(
        _ output: SQLLexer.Output
    ) throws(SourceProblem) -> (up: [SQLLexer.Statement], down: [SQLLexer.Statement]?) {
        let lines = output.directives.filter { $0.name == Self.downDirective }
        guard let line = lines.first else { return (output.statements, nil) }
        guard lines.count == 1, line.value.isEmpty else {
            throw SourceProblem(
                message: "a file has one line `-- migrate:down`, without a value",
                position: lines[lines.count - 1].position)
        }
        return (
            Array(output.statements.prefix(line.statementsBefore)),
            Array(output.statements.dropFirst(line.statementsBefore))
        )
    }

    public var hasDown: Bool { self.down != nil }

    func statements(_ direction: LedgerEntry.Direction) -> [SQLLexer.Statement] {
        direction == .up ? self.statements : self.down ?? []
    }

    func text(of statement: SQLLexer.Statement) -> String {
        self.file.source[bytes: statement.bytes]
    }

    /// The lines of data behind `COPY … FROM stdin`; nil for other statements.
    func data(of statement: SQLLexer.Statement) -> String? {
        statement.copyData.map { self.file.source[bytes: $0] }
    }

    func sha256(of statement: SQLLexer.Statement) -> [UInt8] {
        SHA256.hash(self.text(of: statement) + (self.data(of: statement) ?? ""))
    }

    private func check(_ statement: SQLLexer.Statement) throws(MigrationFailure) {
        switch StatementKind(self.text(of: statement)) {
        case .buildIndex(name: nil, _):
            throw MigrationFailure(
                .failed,
                "an index that is built concurrently needs a name, by which it is found again when its building was cut short",
                place: .init(self.file, statement.position))
        case .buildIndex where !self.directives.isWithoutTransaction,
            .dropIndex where !self.directives.isWithoutTransaction,
            .detachPartition where !self.directives.isWithoutTransaction,
            .alone where !self.directives.isWithoutTransaction && !["call", "do"].contains(statement.words.first):
            throw MigrationFailure(
                .failed, "this statement cannot be a part of a transaction",
                place: .init(self.file, statement.position),
                hint: "Put it into a file of its own that begins with the line `-- migrate:no-transaction`.")
        default:
            break
        }
    }
}

extension PGTransaction {
    /// Runs a statement of a file, and gives it its data.
    func run(_ statement: SQLLexer.Statement, of script: MigrationScript) async throws {
        let text = script.text(of: statement)
        guard let data = script.data(of: statement) else {
            try await self.simpleQuery(unsafeSQL: text)
            return
        }
        _ = try await self.copyIn(PGQuery(unsafeSQL: text)) { try await $0.write(data.utf8) }
    }
}
