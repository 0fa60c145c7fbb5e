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

    /// The three statements around a transaction.
    struct Boundary {
        let begin: String
        let commit: String
        let rollback: String
    }

    func withTransaction<R>(
        depth: Int,
        _ boundary: Boundary,
        _ body: (PGTransaction) async throws -> R
    ) async throws -> R {
        _ = try await self.run(Job(.simple(boundary.begin)), depth: depth).allRows()
        try self.enter(depth)
        let result: R
        do {
            result = try await body(PGTransaction(connection: self, depth: depth + 1))
            try Task.checkCancellation()
        } catch {
            self.leave(depth)
            // When this fails the connection is broken, which undoes the transaction too.
            _ = try? await self.run(Job(.simple(boundary.rollback), isShielded: true), depth: depth)
            throw error
        }
        self.leave(depth)
        try await self.commit(boundary, depth: depth)
        return result
    }

    private func commit(_ boundary: Boundary, depth: Int) async throws {
        let job = try await self.run(Job(.simple(boundary.commit), isShielded: true), depth: depth)
        do {
            let rows = try job.rows()
            guard rows.commandTag != "ROLLBACK" else {
                throw PGError(
                    .commitRolledBack, message: "COMMIT was answered with ROLLBACK: a statement had failed before")
            }
        } catch let error as PGError where depth == 0 && job.wasSent && (error.code == .connection || error.endsSession)
        {
            throw PGError(.commitInDoubt, message: "the connection was lost during COMMIT", underlying: error)
        } catch let error as PGError where depth > 0 && error.sqlState != nil {
            // RELEASE in a transaction that failed: undo the inner one, so that the outer one can go on.
            _ = try? await self.run(Job(.simple(boundary.rollback), isShielded: true), depth: depth)
            throw error
        }
    }
}
