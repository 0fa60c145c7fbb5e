import Glibc
import Logging
import Synchronization

/// The thread that does all input and output of a pool.
///
/// Callers append commands under one lock and wake the thread only when it said that it sleeps. The thread polls, reads and
/// writes, takes the commands, and resumes the waiting tasks when it has given the servers their next work.
// Unchecked: `driver` and the poll set belong to the thread; the rest is immutable or locked.
final class IOLoop: @unchecked Sendable {
    /// Small, and of types whose layout is known when it is compiled, since it is copied for each query (docs/decisions/0015).
    enum Command {
        case request(PoolRequest)
        /// A task that prefers this thread goes on, until it waits again.
        case task(UnownedJob)
        case cancel(PoolRequest)
        /// A statement for a connection that is on loan.
        case run(Job, Lease)
        case release(Lease)
        /// The task that a job delivers to, or takes from, has made room or given more.
        case goOn(Job)
        /// That task wants no more.
        case leave(Job)
        /// Notifications of a connection on loan go to the inflow.
        case watch(Lease, Inflow<PGNotification>)
        /// There is room for more notifications.
        case readOn(Lease)
        indirect case resolved(Channel, Result<[ConnectParameters.Host], PGError>)
        case cancelRequestEnded(Channel)
        /// Keep the minimum of connections from now on.
        case keep
        /// Take no more callers, resume the continuation when all are gone or `drainTimeout` is over.
        case drain(UnsafeContinuation<Void, Never>)
        /// End now.
        case stop
    }

    private struct Inbox {
        var commands: [Command] = []
        /// Wakes the thread; nil before it was started.
        var pipe: WakePipe?
        var isAsleep = false
        var isStopped = false
    }

    private let inbox = Locked(Inbox())
    private let makePipe: @Sendable () throws(PGError) -> WakePipe
    private let driver: PoolDriver
    let observer: Observer
    /// How often the thread has polled, for tests of whether it sleeps.
    let turns = Atomic(0)
    /// What the threads of all loops have set; nil where the process has no such key left, and no loop's thread is known.
    private static let mark: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    init(
        _ driver: PoolDriver,
        makePipe: @escaping @Sendable () throws(PGError) -> WakePipe = { () throws(PGError) in try WakePipe() }
    ) {
        self.makePipe = makePipe
        self.driver = driver
        self.observer = Observer(driver.configuration, logger: driver.logger)
    }

    /// Whether the calling thread is that of a loop.
    private static var isOnThread: Bool { Self.mark.map { pthread_getspecific($0) != nil } ?? false }

    /// Hands a command to the thread, which starts with the first. Throws, and nobody will see the command, when the thread has ended
    /// (`poolClosed`) or the system has no thread or file descriptor left (`connection`); the next command tries again.
    func post(_ command: Command) throws(PGError) {
        let sleeper = try self.inbox.withLock { inbox throws(PGError) -> WakePipe? in
            guard !inbox.isStopped else { throw .poolClosed }
            if inbox.pipe == nil { inbox.pipe = try self.start() }
            inbox.commands.append(command)
            guard inbox.isAsleep else { return nil }
            inbox.isAsleep = false
            return inbox.pipe
        }
        sleeper?.wake()
    }

    /// As `post`, where a loop that has ended needs no word.
    func tell(_ command: Command) { try? self.post(command) }

    private func start() throws(PGError) -> WakePipe {
        let pipe = try self.makePipe()
        guard DetachedThread.start({ self.run(pipe) }) else {
            throw PGError(.connection, message: "the system gives no thread")
        }
        return pipe
    }

    private func run(_ pipe: WakePipe) {
        if let mark = Self.mark { pthread_setspecific(mark, Unmanaged.passUnretained(self).toOpaque()) }
        self.driver.loop = self
        // The pool may have been made long before it is used.
        self.driver.updateTime()
        var commands: [Command] = []
        var pollSet: [pollfd] = []
        while true {
            self.inbox.withLock { inbox in
                inbox.isAsleep = false
                swap(&inbox.commands, &commands)
            }
            for command in commands { self.driver.handle(command) }
            commands.removeAll(keepingCapacity: true)
            self.driver.noteTasks()
            self.driver.checkDeadlines()
            self.driver.shareOut()
            self.driver.resumeWaiting()
            guard !self.driver.isFinished else { break }

            let timeout = self.driver.pollTimeout()
            let maySleep = self.inbox.withLock { inbox in
                inbox.isAsleep = inbox.commands.isEmpty
                return inbox.isAsleep
            }
            // As they are now: what one of them reads may end others.
            let channels = self.driver.channels
            pollSet.removeAll(keepingCapacity: true)
            pollSet.append(pollfd(fd: pipe.descriptor, events: Int16(POLLIN), revents: 0))
            for channel in channels { pollSet.append(channel.interest) }
            let ready = poll(&pollSet, nfds_t(pollSet.count), maySleep ? timeout : 0)
            self.driver.updateTime()
            self.turns.add(1, ordering: .relaxed)
            guard ready > 0 else { continue }
            if pollSet[0].revents != 0 { pipe.clear() }
            for index in channels.indices where pollSet[index + 1].revents != 0 {
                channels[index].handle(pollSet[index + 1].revents)
            }
        }
        // Nothing is accepted any more; what slipped in is told that the pool is closed.
        self.inbox.withLock { inbox in
            inbox.isStopped = true
            swap(&inbox.commands, &commands)
        }
        for command in commands { self.driver.handle(command) }
        self.driver.resumeWaiting()
    }
}

/// Tasks that prefer this thread (SE-0417) run between its turns.
extension IOLoop: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let task = UnownedJob(job)
        do {
            try self.post(.task(task))
        } catch {
            globalConcurrentExecutor.enqueue(ExecutorJob(task))
        }
    }
}

extension IOLoop {
    /// A loop with room for one connection, which is tried once for each caller that wants it.
    static func single(_ configuration: PGConfiguration, logger: Logger) -> IOLoop {
        var configuration = configuration
        configuration.pool.minimum = 0
        configuration.pool.maximum = 1
        // Connecting has time limits of its own, one for each server; this one must not come first.
        configuration.pool.acquireTimeout = .seconds(86_400)
        return IOLoop(PoolDriver(configuration, logger: logger, failsOnFirstError: true))
    }

    /// Ends the thread and every connection at once; a thread that was never needed is not started for it.
    func stop() {
        let isRunning = self.inbox.withLock { inbox in
            if inbox.pipe == nil { inbox.isStopped = true }
            return inbox.pipe != nil
        }
        if isRunning { self.tell(.stop) }
    }

    /// Takes no more callers and returns when all connections are back and closed.
    func drain() async {
        await withUnsafeContinuation { continuation in
            do {
                try self.post(.drain(continuation))
            } catch {
                continuation.resume()
            }
        }
    }

    /// Runs a job on any connection to its end; the outcome is in the job. Returns within the cancel budget when the task is cancelled.
    func run(_ job: Job) async {
        await self.run(job) { () throws(PGError) in try self.post(.request(.job(job))) }
    }

    /// The same for a job that `post` posts, unless it throws: then its error is the job's.
    func run(_ job: Job, postedBy post: () throws(PGError) -> Void) async {
        job.cameFromLoop = Self.isOnThread
        let trace = self.observer.begin(job)
        defer { self.observer.end(job, trace) }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                job.continuation = continuation
                do {
                    try post()
                } catch {
                    job.error = error
                    continuation.resume()
                }
            }
        } onCancel: {
            self.tell(.cancel(.job(job)))
        }
        job.handover.take()
    }

    /// Borrows a connection for a caller; `post(.release)` gives it back.
    func lease(for caller: Caller) async throws -> Lease {
        let request = LeaseRequest(caller)
        request.cameFromLoop = Self.isOnThread
        let start = MonotonicInstant.now
        defer { self.observer.acquired(in: .now - start) }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                request.continuation = continuation
                do {
                    try self.post(.request(.lease(request)))
                } catch {
                    request.outcome = .failure(error)
                    continuation.resume()
                }
            }
        } onCancel: {
            self.tell(.cancel(.lease(request)))
        }
        request.handover.take()
        guard let outcome = request.outcome else { throw PGError.poolClosed }
        return try outcome.get()
    }
}
