import PGClient

/// Lets a server run only on a schema that it knows: the migration it needs is applied, and none after it says that
/// it breaks servers of this version. Additive migrations may come first, so that servers are replaced one by one.
struct SchemaFence: Sendable {
    /// The newest migration whose tables this server uses.
    static let neededVersion: Int64 = 8

    private let ledger: LedgerRepository

    init(_ db: any PGQuerying) {
        self.ledger = LedgerRepository(db)
    }

    /// - Throws: `CommandFailure` with a line that names the command that helps.
    func check() async throws {
        let state: LedgerRepository.State
        do {
            state = try await self.ledger.state(of: Self.neededVersion)
        } catch let error as PGError where error.sqlState == "42P01" || error.sqlState == "3F000" {
            throw CommandFailure("this database has no schema of FlexiServer yet: run `migrate up` first")
        } catch let error as PGError where error.sqlState == "42501" {
            throw CommandFailure(
                "the database role may not read migrate.ledger: run `migrate up` with the role's name (`--set app_role=…`)"
            )
        }
        guard state.isApplied else {
            throw CommandFailure(
                "the database lacks migration \(Self.neededVersion), which this FlexiServer needs: run `migrate up` first"
            )
        }
        if let breaksBefore = state.breaksBefore, breaksBefore > Self.neededVersion {
            throw CommandFailure(
                "the database was migrated beyond this FlexiServer, which knows the schema up to \(Self.neededVersion) where "
                    + "\(breaksBefore) is needed: install the newer FlexiServer (`migrate status` shows what was applied)"
            )
        }
    }
}
