/// A migration file that was read as SQL and may be applied.
public struct MigrationScript: Sendable {
    public let file: MigrationFile
    public let directives: MigrationDirectives
    let statements: [SQLLexer.Statement]

    /// Takes statements that were not looked at.
    init(_ file: MigrationFile, directives: MigrationDirectives, statements: [SQLLexer.Statement]) {
        self.file = file
        self.directives = directives
        self.statements = statements
    }

    /// Throws `MigrationFailure` with the place of what cannot be applied: a transaction of its own, a command of psql, a string
    /// without end, or a directive that is unknown or malformed.
    public init(_ file: MigrationFile) throws(MigrationFailure) {
        do throws(SourceProblem) {
            let output = try SQLLexer.split(file.source)
            for statement in output.statements {
                if let refusal = statement.refusal {
                    throw SourceProblem(message: refusal, position: statement.position)
                }
            }
            self.file = file
            self.directives = try MigrationDirectives(output.directives)
            self.statements = output.statements
        } catch {
            throw MigrationFailure(.failed, error.message, place: .init(file, error.position))
        }
    }
}
