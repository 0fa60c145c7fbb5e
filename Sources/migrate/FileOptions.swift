import ArgumentParser

/// Which files, and how to tell about them.
struct FileOptions: ParsableArguments {
    @Option(help: "The directory that holds the migrations.")
    var directory = "migrations"

    @Option(help: "How to write: text, or json with one object a line.")
    var format = OutputFormat.text
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}
