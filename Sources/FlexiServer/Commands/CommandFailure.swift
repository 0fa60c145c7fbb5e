import ArgumentParser
import PGClient

/// Why a command could not do its work, in one line for the person who typed it; the process exits with 1.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
