import CLibPQ
import Glibc

extension Channel {
    /// Looks names up, then tries one address after another, as libpq would if it were allowed to block.
    func connect() {
        do throws(PGError) {
            let parameters = try ConnectParameters(self.driver.configuration)
            self.parameters = parameters
            guard parameters.needsResolution else { return self.tryNext(of: parameters.attempts()) }
            guard let loop = self.driver.loop else { return }
            self.attemptDeadline = .now + parameters.timeout
            self.enter(.resolve)
            let (hosts, lookUp) = (parameters.hosts, self.driver.configuration.beforeLookUp)
            let started = DetachedThread.start {
                do throws(PGError) {
                    loop.tell(.resolved(self, .success(try NameResolver.resolve(hosts, before: lookUp))))
                } catch {
                    loop.tell(.resolved(self, .failure(error)))
                }
            }
            guard started else {
                throw PGError(.connection, message: "the system gives no thread to look the host's name up")
            }
        } catch {
            self.connectFailed(error)
        }
    }

    func resolved(_ result: Result<[ConnectParameters.Host], PGError>) {
        guard case .resolving = self.state, let parameters else { return }
        do throws(PGError) {
            self.tryNext(of: parameters.resolved(to: try result.get()).attempts())
        } catch {
            self.connectFailed(error)
        }
    }

    private func tryNext(of attempts: [ConnectParameters]) {
        self.attempts = attempts
        self.tryNext()
    }

    private func tryNext() {
        guard !self.attempts.isEmpty else { return self.connectFailed(self.attemptErrors.summary) }
        do throws(PGError) {
            try self.start(self.attempts.removeFirst())
        } catch {
            self.attemptFailed(error)
        }
    }

    private func start(_ parameters: ConnectParameters) throws(PGError) {
        self.parameters = parameters
        self.attemptDeadline = .now + parameters.timeout
        guard let connection = parameters.withKeywordsAndValues({ PQconnectStartParams($0, $1, 0) }) else {
            throw PGError(.connection, message: "out of memory")
        }
        self.connection = connection
        self.notices.attach(to: connection)
        // Of a refused connection only the text is known; the verbose form has the SQLSTATE in it.
        PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        guard PQstatus(connection) != CONNECTION_BAD else { throw self.connectError() }
        self.state = .connecting
        self.watch(PGRES_POLLING_WRITING)
    }

    /// Takes the next step of connecting. The socket may be another one afterwards, so it is asked for each time.
    func advance() {
        guard let connection else { return }
        switch PQconnectPoll(connection) {
        case PGRES_POLLING_OK:
            self.opened(connection)
        case PGRES_POLLING_FAILED:
            self.attemptFailed(self.connectError())
        case let status:
            self.watch(status)
        }
    }

    private func watch(_ status: PostgresPollingStatusType) {
        self.descriptor = PQsocket(self.connection)
        self.pollEvents = Int16(status == PGRES_POLLING_READING ? POLLIN : POLLOUT)
        self.enter(self.currentPhase)
    }

    /// Each phase has a time limit of its own, and all of an attempt together have one.
    private func enter(_ phase: PGConnectPhase) {
        guard self.phase != phase || self.deadline == nil else { return }
        self.phase = phase
        self.deadline = min(self.attemptDeadline, .now + self.driver.configuration.phaseTimeouts[phase])
    }

    private func opened(_ connection: OpaquePointer) {
        guard PQsetnonblocking(connection, 1) == 0 else {
            return self.attemptFailed(self.connectError())
        }
        PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
        self.session = Session(connection)
        self.descriptor = PQsocket(connection)
        self.pollEvents = Int16(POLLIN)
        self.attempts = []
        self.attemptErrors = []
        self.state = .open
        if self.isShared {
            self.beginSharing()
        } else {
            self.introduce()
        }
    }

    /// Tells the pool that the connection can be used.
    func introduce() {
        self.deadline = nil
        self.isIntroduced = true
        self.driver.connected(self)
    }

    func connectTimedOut() {
        let server = self.phase == .resolve ? "" : (self.parameters?.server).map { " to \($0)" } ?? ""
        let limit = min(self.driver.configuration.phaseTimeouts[self.phase], self.parameters?.timeout ?? .zero)
        self.attemptFailed(
            PGError(
                .connectTimeout(self.phase),
                message: "no connection\(server) within \(limit.seconds) s (phase: \(self.phase.rawValue))"))
    }

    private var currentPhase: PGConnectPhase {
        switch PQstatus(self.connection) {
        case CONNECTION_STARTED, CONNECTION_MADE, CONNECTION_NEEDED: return .connect
        case CONNECTION_SSL_STARTUP, CONNECTION_GSS_STARTUP: return .tls
        case CONNECTION_CHECK_WRITABLE, CONNECTION_CONSUME, CONNECTION_CHECK_TARGET, CONNECTION_CHECK_STANDBY:
            return .session
        default: return .authentication
        }
    }

    /// As with libpq, a server that answers and refuses this user or database ends the search.
    private func attemptFailed(_ error: PGError) {
        self.descriptor = -1
        self.deadline = nil
        if let connection { PQfinish(connection) }
        self.connection = nil
        self.attemptErrors.append(error)
        if error.isPermanent { self.attempts = [] }
        self.tryNext()
    }

    private func connectFailed(_ error: PGError) {
        self.state = .closed
        self.failure = error
        self.descriptor = -1
        self.deadline = nil
        self.driver.connectFailed(self, error)
    }

    /// libpq's account of a failed attempt, without the password and with the SQLSTATE taken out of the text.
    private func connectError() -> PGError {
        var message = String(cString: PQerrorMessage(self.connection)).replacing(#/(?m)^LOCATION: .*/#, with: "")
            .onOneLine
        var fields = PGError.Fields()
        // "…failed: FATAL:  28P01: password authentication failed…", of several servers the last
        for match in message.matches(of: #/:  (?<state>[0-9A-Z]{5}): /#) {
            fields.sqlState = String(match.state)
            fields.severity = "FATAL"
        }
        if let state = fields.sqlState { message = message.replacing("  \(state): ", with: " ") }
        message = self.parameters?.redacted(message) ?? message
        // As PgBouncer says it.
        if message.contains("unsupported startup parameter") {
            fields.hint = """
                A pooler refuses the settings that the session begins with: name the parameter in its ignore_startup_parameters and \
                let the server have statement_timeout and the other settings, or set statementTimeout to nil and parameters to none.
                """
            return PGError(.invalidConfiguration, message: message, fields: fields)
        }
        return PGError(.connection, message: message, fields: fields)
    }
}

extension [PGError] {
    /// One error for all attempts: the one that leaves the most hope, with the words of all.
    fileprivate var summary: PGError {
        guard let base = self.first(where: { !$0.isPermanent }) ?? self.last else {
            return PGError(.connection, message: "the connection string names no server")
        }
        return self.count == 1 ? base : base.with(message: self.map(\.message).joined(separator: "; "))
    }
}
