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

    /// The connection whose next batch is being put together, as long as it takes more.
    private var loading: Channel? {
        self.channels.first { $0.pipeline.isSyncDue && $0.hasRoom && $0.pipeline.batch < self.batchSize }
    }

    /// Adds a caller's statement to the batch that is being put together. False when there is none, or others wait.
    func joinBatch(_ request: PoolRequest) -> Bool {
        guard self.sharing != nil, let channel = self.loading,
            self.machine.join(channel.id, now: self.now)
        else { return false }
        self.hand(channel, to: request)
        return true
    }

    /// Gives those who wait to the connections that have room, and sends what each was given as one batch.
    func shareOut() {
        guard self.sharing != nil else { return }
        while self.machine.waiting > 0, let channel = self.loading ?? self.leastLoaded {
            let actions = self.machine.handMore(channel.id, now: self.now)
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

    /// How many statements make a batch: about as many as a server does in `batchTime`, to go by the last ones. Those that take less than
    /// it costs to wake a process for each go to one; those that take long run side by side.
    private var batchSize: Int {
        max(1, min(self.sharing?.depth ?? 1, Int(Self.batchTime / max(self.statementTime, .microseconds(1)))))
    }

    private static var batchTime: Duration { .milliseconds(1) }

    /// A batch has been answered.
    func batchEnded(_ statements: Int, in time: Duration) {
        guard statements > 0 else { return }
        self.statementTime = self.statementTime * 7 / 8 + time / (8 * statements)
    }
}
