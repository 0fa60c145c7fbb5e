import ArgumentParser
import FoundationEssentials
import Migrator
import PGClient

/// Where a database may be made that exists for a moment only.
struct ScratchOptions: ParsableArguments {
    @Option(
        name: .customLong("scratch-url"),
        help: """
            The server where a scratch database may be made, without a password; MIGRATE_SCRATCH_URL may hold one. \
            By default, that of the database itself.
            """)
    var url: String?

    @Flag(name: .customLong("no-scratch"), help: "Make no scratch database.")
    var isForbidden = false

    func validate() throws {
        guard let url, ConnectionOptions.holdsPassword(url) else { return }
        throw ValidationError(
            "the URL holds a password, which everybody on the machine could read: put it into MIGRATE_SCRATCH_URL")
    }

    func server(of connection: ConnectionOptions) throws -> ScratchServer? {
        guard !self.isForbidden else { return nil }
        let candidates = [self.url, ProcessInfo.processInfo.environment["MIGRATE_SCRATCH_URL"]]
        guard let url = candidates.compactMap(\.self).first(where: { !$0.isEmpty }) else {
            return ScratchServer(try connection.configuration())
        }
        let configuration = PGConfiguration(url)
        do {
            try configuration.validate()
        } catch {
            throw MigrationFailure(.usage, error.message)
        }
        return ScratchServer(configuration)
    }
}
