import CLibPQ

/// A connection whose caller has gone before its query had stopped. Closing it at once would leave the query to the server, which notices
/// only when it is done; as long as the connection is here, the server is asked to stop, and others like it are held back by its number.
extension Channel {
    private static let retryInterval = Duration.seconds(1)

    func quarantine(_ error: PGError) {
        self.failure = error
        self.state = .quarantined
        self.finishAll(error)
        self.quarantineEnd = .now + self.driver.configuration.pool.quarantineTimeout
        self.deadline = min(self.quarantineEnd, .now + Self.retryInterval)
        self.driver.quarantined(self, error)
        self.readOut()
    }

    /// Drops what the server still sends, up to the end of the query.
    func readOut() {
        guard self.state == .quarantined else { return }
        guard PQpipelineStatus(self.connection) == PQ_PIPELINE_OFF, PQconsumeInput(self.connection) == 1 else {
            return self.endQuarantine()
        }
        while PQisBusy(self.connection) == 0 {
            guard let result = PQgetResult(self.connection) else { return self.endQuarantine() }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: return self.endQuarantine()
            default: break
            }
        }
    }

    func quarantineDeadlinePassed() {
        guard self.quarantineEnd > .now else { return self.endQuarantine() }
        self.sendCancelRequest()
        self.deadline = min(self.quarantineEnd, .now + Self.retryInterval)
    }

    private func endQuarantine() {
        self.close()
        self.driver.quarantineEnded(self)
    }
}
