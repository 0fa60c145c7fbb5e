import Migrator

/// `migrate verify --format json`.
struct VerificationDocument: Encodable {
    let problems: [ProblemLine]
    let reformatted: [String]
    let compared: Int
    let schemas: [String]
    /// Missing when that was not compared.
    let sinceLastRun: CatalogDifference?
    let fromReplay: CatalogDifference?
    let omissions: [String]

    init(_ verification: Verification, _ drift: Drift) {
        self.problems = verification.problems.map(ProblemLine.init)
        self.reformatted = verification.reformatted.map(\.fileName)
        self.compared = verification.compared
        self.schemas = drift.schemas
        self.sinceLastRun = drift.sinceLastRun
        self.fromReplay = drift.fromReplay
        self.omissions = drift.omissions
    }
}

extension Drift {
    /// What a person reads.
    var lines: [String] {
        let comparisons =
            if let sinceLastRun, self.fromReplay == sinceLastRun {
                [(sinceLastRun, "as the last run left it and as the applied files make it")]
            } else {
                [
                    (self.sinceLastRun, "as the last run left it"), (self.fromReplay, "as the applied files make it"),
                ].compactMap { difference, expectation in difference.map { ($0, expectation) } }
            }
        let catalog = "The catalog of " + self.schemas.joined(separator: ", ")
        return comparisons.flatMap { difference, expectation in
            difference.isEmpty
                ? ["\(catalog) is \(expectation)."] : ["\(catalog) is not \(expectation):", difference.description]
        } + self.omissions.map { "note: \($0)" }
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
