import ArgumentParser
import Migrator

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Looks for what stands in the way of migrations, and says what helps.",
        discussion: """
            Looks at the connection (a pooler, a standby), the server, the roles, who can write the ledger, files that stand half-way, \
            old transactions, prepared ones, unread replication slots and invalid indexes. Nothing is changed. Exits with 1 when something \
            would keep migrations from working; notes alone are no failure.

            EXAMPLE
              migrate doctor --role app_owner
            """)

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "How to write: text, or json.")
    var format = OutputFormat.text

    func run() async throws {
        let output = Output(format: self.format)
        try await output.reportingFailures {
            let findings = try await self.connection.migrator(MigratorOptions(), output).examine()
            output.write(
                findings.flatMap { finding in
                    [output.heading(finding)] + (finding.remedy.map { ["         " + $0] } ?? [])
                }, json: DoctorDocument(findings: findings.map(DoctorDocument.Line.init)))
            if findings.contains(where: { $0.level == .problem }) { throw ExitCode.failure }
        }
    }
}

extension Output {
    fileprivate func heading(_ finding: Finding) -> String {
        switch finding.level {
        case .fine: self.terminal.coloured("ok       ", .green) + finding.message
        case .note: self.terminal.coloured("note     ", .yellow) + finding.message
        case .problem: self.terminal.coloured("problem  ", .red) + finding.message
        }
    }
}

/// `migrate doctor --format json`.
struct DoctorDocument: Encodable {
    struct Line: Encodable {
        let name: String
        let level: String
        let message: String
        let remedy: String?

        init(_ finding: Finding) {
            self.name = finding.name
            self.level = finding.level.rawValue
            self.message = finding.message
            self.remedy = finding.remedy
        }
    }

    let findings: [Line]
}
