import CLibPQ
import Glibc

/// Results that are handed over, and data that are taken, while the statement runs.
extension Channel {
    /// How long a COPY to the server goes on after the server said something that is no notice. Only an error is left, and
    /// libpq does not show it before the COPY ends.
    private static let errorGrace = Duration.milliseconds(200)

    /// Keeps a row, and reads no more when the task is behind.
    func deliver(row result: PGResult, to rows: Inflow<PGResult>) {
        guard let job, !job.isLeft, !job.isCancelled else { return }
        if !rows.append(result, size: PQresultMemorySize(result.pointer)) { self.isHeldBack = true }
    }

    /// Reads what is there of a COPY from the server. False when there is nothing more for now.
    func readCopyData(into data: Inflow<[UInt8]>) -> Bool {
        var chunk: [UInt8] = []
        var status: Int32 = 0
        while chunk.count < 65_536 {
            var buffer: UnsafeMutablePointer<CChar>?
            status = PQgetCopyData(self.connection, &buffer, 1)
            guard status > 0, let buffer else { break }
            chunk.append(contentsOf: UnsafeRawBufferPointer(start: buffer, count: Int(status)))
            PQfreemem(buffer)
        }
        if !chunk.isEmpty, let job, !job.isLeft, !job.isCancelled {
            if !data.append(chunk, size: chunk.count) { self.isHeldBack = true }
        }
        // -1 is the end, -2 an error; the result that follows tells them apart.
        if status < 0 { self.step = .executing(nil) }
        return status != 0 && !self.isHeldBack
    }

    /// Gives the server as much of a COPY as it takes now.
    func sendCopyData() {
        guard case .copyingIn(let data) = self.step else { return }
        while self.isOpen, self.pollEvents & Int16(POLLOUT) == 0 {
            switch data.next() {
            case .nothing:
                return
            case .chunk(let chunk):
                let status = chunk.withUnsafeBytes { bytes in
                    PQputCopyData(
                        self.connection, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
                }
                guard status == 1 else { return self.broken() }
                self.flush()
            case .end(.done):
                return self.endCopy(nil)
            case .end(.failed(let reason)):
                return self.endCopy(reason)
            }
        }
    }

    private func endCopy(_ complaint: String?) {
        self.step = .executing(nil)
        self.deadline = self.giveUpAt
        let status =
            complaint.map { PQputCopyEnd(self.connection, $0.replacing("\0", with: "")) }
            ?? PQputCopyEnd(self.connection, nil)
        guard status == 1 else { return self.broken() }
        self.flush()
        // The answer may have been read already, and waited for the end.
        self.collect()
    }

    var isCopyingIn: Bool {
        if case .copyingIn = self.step { true } else { false }
    }

    /// The server spoke in the middle of a COPY to it, `noticesBefore` being the notices that had been seen until then.
    func suspectError(_ noticesBefore: Int) {
        // Makes libpq look at what it has read.
        _ = PQisBusy(self.connection)
        guard self.notices.count == noticesBefore, self.giveUpAt == nil, self.deadline == nil else { return }
        self.deadline = .now + Self.errorGrace
    }

    func stopCopy(_ complaint: String) {
        if self.isCopyingIn { self.endCopy(complaint) }
    }

    /// The task has taken what was there, or gives more.
    func goOn(_ job: Job) {
        guard self.job === job, self.isOpen else { return }
        if self.isHeldBack {
            self.isHeldBack = false
            self.collect()
        }
        self.sendCopyData()
    }

    /// The task takes no more of the results. A transaction must survive that, so there the rest is read and dropped; outside
    /// of one the statement is stopped.
    func leave(_ job: Job) {
        guard !job.isFinished else { return }
        job.isLeft = true
        if self.job === job, job.startedInTransaction {
            self.goOn(job)
        } else {
            self.driver.cancel(job)
        }
    }
}
