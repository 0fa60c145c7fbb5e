import Foundation
import Logging
import Migrator
import PGClient
import PGTesting

/// The repository's migrations, applied as a deployment applies them.
enum Migrations {
    /// The repository's root.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static func files() throws -> [MigrationFile] {
        try MigrationsDirectory.load(self.root.appending(path: "migrations").path())
    }

    /// The highest number among the files.
    static func newestVersion() throws -> Int64 {
        try self.files().compactMap(\.version).max() ?? 0
    }

    /// Makes the roles where the cluster lacks them, and migrates as the owner.
    static func apply(to database: TestDatabase, roles: Roles = Roles()) async throws {
        try await self.makeRoles(roles, in: database)
        var options = MigratorOptions()
        options.role = roles.owner
        options.settings = ["app_role": roles.app, "sip_role": roles.sip]
        try await Migrator(database.configuration, options: options, logger: Logger(label: "test")).up(self.files())
    }

    struct Roles {
        var owner = "flexi_owner"
        var app = "flexi_app"
        var sip = "flexi_sip"
    }

    /// scripts/roles.sql is for psql, so psql runs it.
    static func makeRoles(_ roles: Roles, in database: TestDatabase) async throws {
        let status = try await Program.run(
            "psql",
            [
                "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=owner_role=\(roles.owner)",
                "--set=app_role=\(roles.app)", "--set=sip_role=\(roles.sip)", "--dbname=\(database.conninfo)",
                "--file=\(self.root.appending(path: "scripts/roles.sql").path())",
            ])
        guard status == 0 else { throw Failure(status: status) }
    }

    struct Failure: Error {
        let status: Int32
    }
}
