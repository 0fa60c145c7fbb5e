import PGClient

/// A database that exists for a moment only.
struct ScratchDatabase: Sendable {
    let configuration: PGConfiguration
    let connection: PGConnection
    /// Whether its cluster is, or may be, that of the database it stands in for: then roles and settings of the server are the same.
    let sharesCluster: Bool

    /// Why a file is not run here; nil when it may be.
    func refusal(of script: MigrationScript) -> MigrationFailure? {
        guard self.sharesCluster, let statement = script.statements.first(where: \.reachesBeyondDatabase) else {
            return nil
        }
        return MigrationFailure(
            .failed,
            "line \(statement.position.line) of \(script.file.fileName) acts on the whole cluster, not on a scratch database alone",
            hint: "On another cluster, named with --scratch-url, it would be run.")
    }
}
