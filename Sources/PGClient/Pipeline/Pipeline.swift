import DequeModule

/// What a connection in pipeline mode was sent and has not answered yet, in the order of the answers.
struct Pipeline {
    enum Item {
        /// Who the server is, and whether it only reads.
        case probe
        case deallocate
        case prepare(StatementCache.Entry)
        case statement(Job, StatementCache.Entry?)
        /// The end of a batch. When a statement fails, the server skips everything up to here.
        case sync(Batch)
    }

    struct Batch {
        let statements: Int
        let sentAt: MonotonicInstant
    }

    /// What became of a statement.
    enum Outcome {
        case rows(PGResult)
        case failed(PGError)
        /// A statement before it failed; this one did not run.
        case skipped
    }

    var items: Deque<Item> = []
    /// How many statements are among `items`.
    private(set) var statements = 0
    /// How many of those nobody waits for any more.
    var abandoned = 0
    /// Something was sent after the last `sync`.
    private(set) var isSyncDue = false
    /// How many statements were sent after it.
    private(set) var batch = 0
    /// Why preparing a statement failed: the server only says of the statement itself that it was skipped.
    var preparingError: PGError?

    mutating func append(_ item: Item) {
        self.isSyncDue = true
        if case .statement = item {
            self.statements += 1
            self.batch += 1
        }
        self.items.append(item)
    }

    /// The batch is complete.
    mutating func appendSync(now: MonotonicInstant) {
        self.items.append(.sync(Batch(statements: self.batch, sentAt: now)))
        self.isSyncDue = false
        self.batch = 0
    }

    mutating func removeFirst() -> Item? {
        let item = self.items.popFirst()
        if case .statement = item { self.statements -= 1 }
        return item
    }

    /// Those whose statements were not answered.
    var jobs: [Job] {
        self.items.compactMap { if case .statement(let job, _) = $0 { job } else { nil } }
    }
}
