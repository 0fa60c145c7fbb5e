extension PoolDriver {
    /// The longest that a statement may take, and a little for the way.
    var longestSilence: Duration {
        (self.configuration.statementTimeout ?? .seconds(30)) + self.configuration.cancelBudget
    }

    /// Whether the servers have so much to do that the tasks here may wait for each other.
    var areServersBusy: Bool {
        guard self.sharing != nil else { return self.machine.waiting > self.channels.count }
        return self.channels.reduce(0) { $0 + $1.pipeline.statements } >= FinishedWork.sufficient / 2
    }

    /// Adds a caller's statement to the batch that is being put together. False when there is none, or others wait.
    func joinBatch(_ request: PoolRequest) -> Bool {
        guard let channel = self.loading, self.mayLoad(channel), self.machine.join(channel.id, now: self.now) else {
            return false
        }
        self.hand(channel, to: request)
        return true
    }

    /// Gives those who wait to the connections that have room, and sends what each was given as one batch.
    func shareOut() {
        guard self.sharing != nil else { return }
        while self.machine.waiting > 0, let channel = self.nextToLoad {
            let actions = self.machine.handMore(channel.id, now: self.now)
            // Too old to be given anything more; it is replaced when what it has is done.
            if actions.isEmpty { channel.isRetiring = true }
            self.perform(actions)
        }
        self.loading = nil
        for channel in self.channels where channel.pipeline.isSyncDue { channel.endBatch() }
    }

    /// The connection whose batch is being put together, as long as it takes more; then the one that has least to do.
    private var nextToLoad: Channel? {
        if let loading, self.mayLoad(loading) { return loading }
        var best: Channel?
        for channel in self.channels where channel.hasRoom {
            if channel.pipeline.statements < best?.pipeline.statements ?? .max { best = channel }
        }
        return best
    }

    private func mayLoad(_ channel: Channel) -> Bool {
        channel.pipeline.isSyncDue && channel.hasRoom && channel.pipeline.batch < self.batchSize.statements
    }
}
