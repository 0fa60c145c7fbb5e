import PGClient
import Synchronization

/// What the workers were told of each of their writes, to be compared with what is in the table.
final class Ledger: Sendable {
    enum Answer {
        case done
        /// The task was cancelled or lost its connection: it may have happened, or a part of it.
        case unknown
        /// There was no connection for it: it did not happen.
        case refused
    }

    /// What a write consists of; the steps of a worker take turns.
    enum Kind: Int {
        case single
        /// Two rows or none.
        case transaction
        /// Five rows, each by itself.
        case pipeline

        init(step: Int) { self = Kind(rawValue: step % 3) ?? .single }

        var parts: Int {
            switch self {
            case .single: 1
            case .transaction: 2
            case .pipeline: 5
            }
        }
    }

    private struct State {
        var isClosed = false
        /// Only what is not `done` is kept, so that the memory that is measured stays small.
        var unknown: Set<Int> = []
        var refused: Set<Int> = []
        var steps: [Int: Int] = [:]
        var reads = 0
        var complaints: [String] = []
        var longest = Duration.zero
    }

    private let state = Mutex(State())

    var isClosed: Bool { self.state.withLock { $0.isClosed } }

    func close() { self.state.withLock { $0.isClosed = true } }

    func note(_ answer: Answer, task: Int, step: Int) {
        self.state.withLock { state in
            state.steps[task] = step + 1
            switch answer {
            case .done: break
            case .unknown: state.unknown.insert(Self.key(task, step))
            case .refused: state.refused.insert(Self.key(task, step))
            }
        }
    }

    func noteRead() { self.state.withLock { $0.reads += 1 } }

    func note(_ duration: Duration) { self.state.withLock { $0.longest = max($0.longest, duration) } }

    func complain(_ complaint: String) { self.state.withLock { $0.complaints.append(complaint) } }

    var longest: Duration { self.state.withLock { $0.longest } }

    var summary: String {
        self.state.withLock { state in
            let writes = state.steps.values.reduce(0, +)
            return
                "\(writes) writes (\(state.unknown.count) unknown, \(state.refused.count) refused), \(state.reads) reads"
        }
    }

    /// What the table and the answers disagree about.
    func check(_ database: PGClient) async throws -> [String] {
        let state = self.state.withLock { state in
            (unknown: state.unknown, refused: state.refused, steps: state.steps, complaints: state.complaints)
        }
        var complaints = state.complaints
        var found: [Int: Int] = [:]
        let rows = try await database.query(
            "SELECT task, step, count(*) AS rows, count(DISTINCT part) AS parts FROM ledger GROUP BY task, step")
        for row in rows {
            let (task, step, count, parts) = try row.decode((Int, Int, Int, Int).self)
            found[Self.key(task, step)] = parts
            if count != parts { complaints.append("task \(task), step \(step): \(count) rows for \(parts) parts") }
            if step >= state.steps[task] ?? 0 { complaints.append("task \(task), step \(step): nobody wrote it") }
        }
        for (task, steps) in state.steps {
            for step in 0..<steps {
                let key = Self.key(task, step)
                let (kind, parts) = (Kind(step: step), found[key] ?? 0)
                let isFine =
                    if state.refused.contains(key) {
                        parts == 0
                    } else if state.unknown.contains(key) {
                        kind == .pipeline ? parts <= 5 : parts == 0 || parts == kind.parts
                    } else {
                        parts == kind.parts
                    }
                if !isFine { complaints.append("task \(task), step \(step): \(parts) of \(kind.parts) rows") }
            }
        }
        print("     ledger: \(self.summary), \(found.count) steps found")
        return complaints
    }

    private static func key(_ task: Int, _ step: Int) -> Int { task << 40 | step }
}
