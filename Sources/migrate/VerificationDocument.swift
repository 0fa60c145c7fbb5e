import Migrator

/// `migrate verify --format json`.
struct VerificationDocument: Encodable {
    let problems: [ProblemLine]
    let reformatted: [String]
    let compared: Int

    init(_ verification: Verification) {
        self.problems = verification.problems.map(ProblemLine.init)
        self.reformatted = verification.reformatted.map(\.fileName)
        self.compared = verification.compared
    }
}

/// A contradiction between files and ledger, with a constant name for programs.
struct ProblemLine: Encodable {
    let kind: String
    let message: String
    let hint: String

    init(_ problem: Plan.Problem) {
        self.kind = problem.name
        self.message = problem.description
        self.hint = problem.hint
    }
}
