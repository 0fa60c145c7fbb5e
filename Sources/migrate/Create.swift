import ArgumentParser
import Migrator

struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes a new file with the next number, and says its name.",
        discussion: """
            The number is one more than the last, written as wide, or the time where the files that are there are numbered by time. \
            Timestamps keep two people from taking the same number; with plain numbers, whoever merges second renames.

            EXAMPLES
              migrate create add_notes
              migrate create index_notes --no-transaction
              migrate create report_views --repeatable
            """)

    @OptionGroup var files: FileOptions

    @Argument(help: "What it does, in letters, digits and underscores.")
    var slug: String

    @Flag(help: "Number by the time, in UTC.")
    var timestamp = false

    @Flag(help: "Applied whenever it has changed, as views and functions want it.")
    var repeatable = false

    @Flag(help: "Run statement by statement, as building an index concurrently wants it.")
    var noTransaction = false

    func validate() throws {
        guard !(self.timestamp && self.repeatable) else {
            throw ValidationError("a repeatable file has no number: leave --timestamp out")
        }
    }

    func run() async throws {
        let output = Output(format: self.files.format)
        try await output.reportingFailures {
            let name = try MigrationsDirectory.create(
                self.slug, self.repeatable ? .repeatable : self.timestamp ? .timestamp : .next,
                withoutTransaction: self.noTransaction, in: self.files.directory)
            output.write(["\(self.files.directory)/\(name)"], json: EventLine("created", files: [name]))
        }
    }
}
