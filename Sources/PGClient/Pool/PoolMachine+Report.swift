/// What the pool says about itself: statistics, and errors that explain.
extension PoolMachine {
    var statistics: PGPoolStatistics {
        var statistics = self.counters
        for connection in self.connections {
            switch connection.state {
            case .connecting: statistics.connecting += 1
            case .idle: statistics.idle += 1
            case .leased: statistics.leased += 1
            case .quarantined: statistics.quarantined += 1
            }
        }
        statistics.waiting = self.waiting
        return statistics
    }

    /// Who has the connections, in words.
    func load(now: Instant) -> String {
        let statistics = self.statistics
        var text = "\(statistics.leased) of \(self.limits.maximum) connections in use"
        let holders = self.holders
        if !holders.isEmpty {
            let named = holders.prefix(5).map { "\($0.holder) for \(Self.rounded(now - $0.since)) s" }
            let more = holders.count > named.count ? ", \(holders.count - named.count) more" : ""
            text += " (" + named.joined(separator: ", ") + more + ")"
        }
        if statistics.quarantined > 0 { text += "; \(statistics.quarantined) given up and not ended yet" }
        text += "; \(statistics.connecting) being made, \(statistics.waiting) callers waiting"
        if let failure {
            text += "; connecting has failed for \(Self.rounded(now - failure.since)) s: \(failure.error.message)"
        }
        return text
    }

    /// Who has connections, those who have had theirs for longest first.
    private var holders: [(holder: Request, since: Instant)] {
        self.connections.compactMap { connection in
            if case .leased(let since, let holder) = connection.state { (holder, since) } else { nil }
        }.sorted { $0.since < $1.since }
    }

    func acquireTimeout(now: Instant) -> PGError {
        PGError(
            .acquireTimeout,
            message: "no connection within \(Self.rounded(self.limits.acquireTimeout)) s; \(self.load(now: now))",
            underlying: self.failure?.error
        )
    }

    /// Whether there is no connection and no prospect of one: waiting would only end in a timeout.
    func isHopeless(now: Instant) -> Bool {
        guard let failure, !self.connections.contains(where: \.isUsable) else { return false }
        return failure.error.isPermanent || now - failure.since >= self.limits.failFastAfter
    }

    /// What to tell a caller at once instead of letting it wait; nil while there is hope, and for one caller when the next
    /// attempt is due: it waits for the outcome.
    func hopeless(now: Instant) -> PGError? {
        guard self.isHopeless(now: now), let failure else { return nil }
        return failure.nextAttempt <= now && !self.connections.contains(where: \.isConnecting) ? nil : failure.error
    }

    private static func rounded(_ duration: Duration) -> String {
        let tenths = (duration.milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10)"
    }
}
