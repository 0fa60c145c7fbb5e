extension PGConnection {
    /// Runs `body` in a transaction, which is committed when it returns and rolled back when it throws or the task was cancelled.
    ///
    /// A deferrable transaction, which has to be serializable and read-only, waits for a moment from which it can be neither refused nor
    /// refuse others. `retry` says whether a transaction that the server gave up is run again, on the same connection.
    ///
    /// Throws what `body` throws, also when rolling back fails; `commitInDoubt` when the connection was lost during COMMIT;
    /// `commitRolledBack` when `body` hid a failed statement; the server's error when a deferred constraint fails.
    @discardableResult
    public func withTransaction<R>(
        isolation: PGIsolation? = nil,
        readOnly: Bool = false,
        deferrable: Bool = false,
        retry: PGRetry? = nil,
        _ body: (PGTransaction) async throws -> R
    ) async throws -> R {
        let modes = TransactionModes(isolation: isolation, readOnly: readOnly, deferrable: deferrable)
        return try await PGRetry.run(retry) { try await self.withTransaction(modes, body) }
    }

    func withTransaction<R>(_ modes: TransactionModes, _ body: (PGTransaction) async throws -> R) async throws -> R {
        try await self.withTransaction(
            depth: 0, .init(begin: modes.begin, commit: "COMMIT", rollback: "ROLLBACK"), body)
    }

    /// As `withTransaction`, with statements that travel along with BEGIN and with COMMIT, which saves a round trip each.
    ///
    /// `body` is given the rows of `unsafeOpening`, and returns the statements that come right before COMMIT; when one of these fails,
    /// everything is rolled back and the server's error thrown. Nothing is escaped in either text. Throws `PGError` with code
    /// `invalidParameter` for one that contains a NUL.
    public func withTransaction(
        unsafeOpening: String, _ body: (PGTransaction, [PGRows]) async throws -> String
    ) async throws {
        try await self.withTransaction(
            depth: 0, .init(begin: "BEGIN; " + unsafeOpening, commit: "COMMIT", rollback: "ROLLBACK", hasOpening: true)
        ) { transaction, rows in
            ((), closing: try await body(transaction, rows))
        }
    }

    /// The three statements around a transaction.
    struct Boundary {
        let begin: String
        let commit: String
        let rollback: String
        /// Statements of the caller come with BEGIN.
        var hasOpening = false
    }

    func withTransaction<R>(
        depth: Int,
        _ boundary: Boundary,
        _ body: (PGTransaction) async throws -> R
    ) async throws -> R {
        try await self.withTransaction(depth: depth, boundary) { transaction, _ in
            (try await body(transaction), closing: "")
        }
    }

    private func withTransaction<R>(
        depth: Int,
        _ boundary: Boundary,
        _ body: (PGTransaction, _ opening: [PGRows]) async throws -> (result: R, closing: String)
    ) async throws -> R {
        let beginning = try Job.simple(boundary.begin, mayChangeSession: boundary.hasOpening)
        try self.enter(depth)
        defer { self.leave(depth) }
        let opening = try await self.begin(beginning, boundary, depth: depth)
        let (result, ending): (R, Job)
        do {
            self.setOpen(true)
            defer { self.setOpen(false) }
            let (value, closing) = try await body(PGTransaction(connection: self, depth: depth + 1), opening)
            try Task.checkCancellation()
            // A closing text need not end with a semicolon, and may end with a comment.
            let end = closing.isEmpty ? boundary.commit : closing + "\n;" + boundary.commit
            (result, ending) = (value, try .simple(end, isShielded: true, mayChangeSession: !closing.isEmpty))
        } catch {
            await self.undo(boundary)
            throw error
        }
        try await self.commit(ending, boundary, depth: depth)
        return result
    }

    /// Returns the rows of the statements behind BEGIN.
    private func begin(_ beginning: Job, _ boundary: Boundary, depth: Int) async throws -> [PGRows] {
        let job = try await self.runChange(beginning)
        do {
            return Array(try job.allRows().dropFirst())
        } catch {
            if depth == 0, job.transactionStatus == .inError { await self.undo(boundary) }
            throw error
        }
    }

    private func commit(_ ending: Job, _ boundary: Boundary, depth: Int) async throws {
        let job = try await self.runChange(ending)
        do {
            let answer = try job.allRows().last?.commandTag ?? ""
            guard boundary.commit.hasPrefix(answer), !answer.isEmpty else {
                throw PGError(
                    .commitRolledBack,
                    message:
                        "COMMIT was answered with \(answer.isEmpty ? "nothing" : answer): a statement had failed before"
                )
            }
        } catch let error as PGError where depth == 0 && job.wasSent && (error.code == .connection || error.endsSession)
        {
            throw PGError(.commitInDoubt, message: "the connection was lost during COMMIT", underlying: error)
        } catch let error as PGError where job.transactionStatus == .inError {
            // The statements before COMMIT failed, or RELEASE did: undo what it was to end, so that the outer one can go on.
            await self.undo(boundary)
            throw error
        }
    }

    /// When this fails the connection is broken, which undoes the transaction too.
    private func undo(_ boundary: Boundary) async {
        _ = try? await self.runChange(Job(.simple(boundary.rollback), isShielded: true))
    }
}
