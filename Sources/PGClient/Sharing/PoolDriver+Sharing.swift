extension PoolDriver {
    /// The longest that a statement may take, and a little for the way.
    var longestSilence: Duration {
        (self.configuration.statementTimeout ?? .seconds(30)) + self.configuration.cancelBudget
    }

    /// Gives those who wait to the connections that have room, and sends what each was given as one batch.
    func shareOut() {
        guard self.sharing != nil else { return }
        while self.machine.withLock({ $0.waiting > 0 }), let channel = self.leastLoaded {
            let actions = self.machine.withLock { $0.handMore(channel.id, now: self.now) }
            // Too old to be given anything more; it is replaced when what it has is done.
            if actions.isEmpty { channel.isRetiring = true }
            self.perform(actions)
        }
        for channel in self.channels where channel.pipeline.isSyncDue { channel.endBatch() }
    }

    private var leastLoaded: Channel? {
        var best: Channel?
        for channel in self.channels where channel.hasRoom {
            if channel.pipeline.statements < best?.pipeline.statements ?? .max { best = channel }
        }
        return best
    }
}
