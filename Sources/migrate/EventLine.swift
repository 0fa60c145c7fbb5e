import FoundationEssentials
import Migrator

/// An event as a line of JSON.
struct EventLine: Encodable {
    struct Session: Encodable {
        let pid: Int32
        let user: String
        let applicationName: String
        let ageSeconds: Int64

        init(_ holder: LockHolder) {
            self.pid = holder.pid
            self.user = holder.user
            self.applicationName = holder.applicationName
            self.ageSeconds = holder.age.components.seconds
        }
    }

    let event: String
    let time = Date()
    private(set) var file: String?
    private(set) var version: Int64?
    private(set) var milliseconds: Int64?
    private(set) var severity: String?
    private(set) var message: String?
    private(set) var line: Int?
    private(set) var column: Int?
    private(set) var sqlState: String?
    private(set) var detail: String?
    private(set) var hint: String?
    private(set) var context: String?
    private(set) var exitCode: Int32?
    private(set) var blockers: [Session]?
    private(set) var statement: Int?
    private(set) var statements: Int?
    private(set) var phase: String?
    private(set) var part: Double?
    private(set) var index: String?
    private(set) var files: [String]?

    init(_ name: String, files: [String]? = nil) {
        self.event = name
        self.files = files
    }

    init(_ event: MigrationEvent) {
        switch event {
        case .waitingForServer(let message):
            self.init("waiting-for-server")
            self.message = message
        case .waitingForLock(let holder):
            self.init("waiting-for-lock")
            self.blockers = holder.map { [Session($0)] } ?? []
        case .applying(let file):
            self.init("applying")
            self.set(file)
        case .retrying(let file, let failure, let blockers, let delay):
            self.init("retrying")
            self.set(failure)
            self.set(file)
            self.blockers = blockers.map(Session.init)
            self.milliseconds = delay.inMilliseconds
        case .applied(let file, let took):
            self.init("applied")
            self.set(file)
            self.milliseconds = took.inMilliseconds
        case .undoing(let file):
            self.init("undoing")
            self.set(file)
        case .undone(let file, let took):
            self.init("undone")
            self.set(file)
            self.milliseconds = took.inMilliseconds
        case .resuming(let file, let statement, let total):
            self.init("resuming")
            self.set(file)
            self.statement = statement
            self.statements = total
        case .running(let running):
            self.init("running")
            self.set(running.file)
            self.statement = running.number
            self.statements = running.total
            self.line = running.line
            self.milliseconds = running.elapsed.inMilliseconds
            self.blockers = running.blockers.map(Session.init)
            self.phase = running.progress?.phase
            self.part = running.progress?.part
        case .droppingInvalidIndex(let name):
            self.init("dropping-invalid-index")
            self.index = name
        case .resolvingCommit(let file):
            self.init("resolving-commit")
            self.set(file)
        case .notice(let severity, let message):
            self.init("notice")
            self.severity = severity
            self.message = message
        }
    }

    init(_ failure: MigrationFailure) {
        self.init("failed")
        self.set(failure)
        self.exitCode = failure.kind.rawValue
    }

    private mutating func set(_ file: MigrationFile) {
        self.file = file.fileName
        self.version = file.version
    }

    private mutating func set(_ failure: MigrationFailure) {
        self.file = failure.fileName
        self.message = failure.message
        self.line = failure.place?.position.line
        self.column = failure.place?.position.column
        self.sqlState = failure.sqlState
        self.detail = failure.detail
        self.hint = failure.hint
        self.context = failure.context
    }
}
