import PGClient

extension PGError {
    /// Whether the database could not be asked, did nothing, or is about to go: no defect of the request or of this server.
    var isOutage: Bool {
        let codes: [PGError.Code] = [.connection, .acquireTimeout, .poolSaturated, .poolClosed, .commitInDoubt]
        // The code of a time-out names the phase in which time ran out.
        if codes.contains(self.code) || self.code.description.hasPrefix("connectTimeout") { return true }
        guard let sqlState = self.sqlState else { return false }
        // Connection exceptions, deadlocks (the same request may be sent again), insufficient resources, operator
        // intervention (57014 is our own statement timeout), read-only after a fail-over.
        return ["08", "40", "53", "57"].contains(sqlState.prefix(2)) || sqlState == "25006"
    }

    /// Whether what the statement refers to was deleted after it had been found: what would have been asked for a moment later is not
    /// there. Where a row is deleted to which others still refer, that is caught by whoever deletes it.
    var tellsOfRemoval: Bool { self.sqlState == "23503" }
}
