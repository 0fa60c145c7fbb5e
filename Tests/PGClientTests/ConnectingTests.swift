import Dispatch
import Foundation
import Glibc
import PGTesting
import Testing

@testable import PGClient

@Suite struct ConnectingTests {
    func fail(_ configuration: PGConfiguration) async -> PGError? {
        await #expect(throws: PGError.self) {
            try await PGConnection.withConnection(configuration, logger: quietLogger) { _ in }
        }
    }

    /// A time limit that wraps the connecting of the socket alone lets a silent server hold its clients for ever.
    @Test func everyPhaseHasATimeLimitThatItsErrorNames() async throws {
        let resolverMayAnswer = DispatchSemaphore(value: 0)
        defer { resolverMayAnswer.signal() }
        var resolving = PGConfiguration("host=localhost user=x dbname=x")
        resolving.beforeLookUp = { _ in resolverMayAnswer.wait() }
        resolving.phaseTimeouts.resolve = .milliseconds(100)
        #expect(await self.fail(resolving)?.code == .connectTimeout(.resolve))

        let deaf = try DeafListener()
        var connecting = PGConfiguration("host=127.0.0.1 port=\(deaf.port) user=x dbname=x")
        connecting.phaseTimeouts.connect = .milliseconds(100)
        let refused = await self.fail(connecting)
        #expect(refused?.code == .connectTimeout(.connect))
        #expect(refused?.message == "no connection to 127.0.0.1 port \(deaf.port) within 0.1 s (phase: connect)")

        let silent = try SilentListener()
        var encrypting = PGConfiguration("host=127.0.0.1 port=\(silent.port) user=x dbname=x sslmode=require")
        encrypting.phaseTimeouts.tls = .milliseconds(100)
        #expect(await self.fail(encrypting)?.code == .connectTimeout(.tls))

        var authenticating = PGConfiguration("host=127.0.0.1 port=\(silent.port) user=x dbname=x sslmode=disable")
        authenticating.phaseTimeouts.authentication = .milliseconds(100)
        #expect(await self.fail(authenticating)?.code == .connectTimeout(.authentication))

        // It lets the client in and does not answer the question whether it takes writes.
        let server = try ScriptedServer(over: .tcp) { session in
            try session.welcome(parameters: ["server_version": "13.0"])
            session.stall()
        }
        var checking = PGConfiguration(server.configuration.conninfo + " target_session_attrs=read-write")
        checking.phaseTimeouts.session = .milliseconds(100)
        #expect(await self.fail(checking)?.code == .connectTimeout(.session))
    }

    @Test func theWholeAttemptHasALimitToo() async throws {
        let silent = try SilentListener()
        let server = "host=127.0.0.1 port=\(silent.port) user=x dbname=x sslmode=disable"
        var configuration = PGConfiguration(server)
        configuration.connectTimeout = .milliseconds(100)
        #expect(await self.fail(configuration)?.code == .connectTimeout(.authentication))
        // The connection string's own limit comes first.
        configuration = PGConfiguration(server + " connect_timeout=1")
        configuration.connectTimeout = .milliseconds(1)
        #expect(await self.fail(configuration)?.message.contains("within 1.0 s") == true)
    }

    @Test func theNextServerIsTriedWhenOneIsSilent() async throws {
        let silent = try SilentListener()
        let server = try TestDatabase.serverConfiguration()
        let (socket, port) = try server.firstHost()
        var configuration = PGConfiguration(
            try server.conninfo(replacing: [
                "host": "127.0.0.1,\(socket)", "hostaddr": "", "port": "\(silent.port),\(port)", "sslmode": "disable",
            ]))
        configuration.phaseTimeouts.authentication = .seconds(3)
        try await PGConnection.withConnection(configuration, logger: quietLogger) { connection in
            try await connection.query("SELECT 1")
        }
    }

    @Test func whenAllServersFailTheErrorTellsOfEach() async throws {
        let silent = try SilentListener()
        var configuration = PGConfiguration(
            "host=/nowhere,127.0.0.1 port=1,\(silent.port) user=x dbname=x sslmode=disable")
        configuration.phaseTimeouts.authentication = .milliseconds(50)
        let error = await self.fail(configuration)
        #expect(error?.message.contains("/nowhere/.s.PGSQL.1") == true)
        #expect(error?.message.contains("No such file or directory; Is the server running locally") == true)
        #expect(error?.message.contains("127.0.0.1 port \(silent.port) within 0.05 s (phase: authentication)") == true)
    }

    @Test(arguments: [
        ("refused\n\tIs it running?\n", "refused; Is it running?"),
        ("ended abnormally\n\twhile at work.\n", "ended abnormally while at work."),
        ("one\ntwo\n", "one; two"), ("one", "one"), ("", ""),
    ])
    func libPQsWordsAreOnOneLine(_ words: String, _ line: String) {
        #expect(words.onOneLine == line)
    }

    @Test func aServerThatRefusesThePasswordEndsTheSearch() async throws {
        let second = Flag()
        let refusing = try ScriptedServer(over: .tcp) { session in
            _ = try session.receiveStartup()
            try session.sendError("28P01", "password authentication failed", severity: "FATAL")
        }
        let other = try ScriptedServer(over: .tcp) { _ in second.set() }
        let ports = try [refusing, other].map { try $0.configuration.firstHost().port }.joined(separator: ",")
        let error = await self.fail(
            PGConfiguration("host=127.0.0.1,127.0.0.1 port=\(ports) user=x dbname=x sslmode=disable"))
        #expect(error?.sqlState == "28P01")
        #expect(!second.isSet)
    }

    @Test func aServerThatIsStillStartingIsPassedOver() async throws {
        let starting = try ScriptedServer(over: .tcp) { session in
            _ = try session.receiveStartup()
            try session.sendError("57P03", "the database system is starting up", severity: "FATAL")
        }
        let ready = try ScriptedServer(over: .tcp) { session in
            try session.welcome()
            session.stall()
        }
        let ports = try [starting, ready].map { try $0.configuration.firstHost().port }.joined(separator: ",")
        let configuration = PGConfiguration("host=127.0.0.1,127.0.0.1 port=\(ports) user=x dbname=x sslmode=disable")
        try await PGConnection.withConnection(configuration, logger: quietLogger) { #expect($0.backendPID == 4711) }
    }

    @Test func settingsComeFromTheURLAndKeywordsAlike() throws {
        let url = try ConnectParameters(
            PGConfiguration("postgresql://me:pw@one:1,two:2/data?target_session_attrs=read-write&application_name=app"))
        let keywords = try ConnectParameters(
            PGConfiguration(
                "host=one,two port=1,2 user=me password=pw dbname=data target_session_attrs=read-write application_name=app"
            ))
        #expect(url.values == keywords.values)
        #expect(url.hosts == keywords.hosts && url.hosts.map(\.port) == ["1", "2"])
    }

    /// libpq reads the file for itself, and would look the names up on the thread of all connections, with one deadline for both.
    @Test func whatAServiceNamesIsAsIfItWereWrittenOut() async {
        await #expect(processExitsWith: .success) {
            try useServices(
                """
                [two]
                host=one.invalid,two.invalid
                port=1,2
                connect_timeout=3
                password=sesame
                sslmode=verify-full
                gssencmode=require
                target_session_attrs=prefer-standby
                options=-c geqo=off
                """)
            let parameters = try ConnectParameters(PGConfiguration("service=two user=me"))
            #expect(parameters.hosts.map(\.name) == ["one.invalid", "two.invalid"])
            #expect(parameters.hosts.map(\.port) == ["1", "2"])
            #expect(parameters.needsResolution)
            #expect(parameters.timeout == .seconds(3))
            #expect(parameters.redacted("open sesame") == "open ***")
            #expect(parameters.values["gssencmode"] == nil)
            #expect(parameters.values["options"]?.hasPrefix("-c geqo=off -c ") == true)
            #expect(parameters.attempts().count == 4)
            // What the connection string says itself comes first.
            let here = try ConnectParameters(PGConfiguration("postgresql:///?service=two&host=/tmp&port=3"))
            #expect(here.hosts.map(\.name) == ["/tmp"] && here.hosts.map(\.port) == ["3"])
        }
    }

    @Test func aServiceThatCannotBeReadIsAnInvalidConfiguration() async {
        await #expect(processExitsWith: .success) {
            try useServices("[one]\nhost=/tmp\n[broken]\nsecret sesame")
            let unknown = #expect(throws: PGError.self) { try PGConfiguration("service=two").validate() }
            #expect(unknown?.code == .invalidConfiguration)
            #expect(unknown?.message == "definition of service \"two\" not found")
            let broken = #expect(throws: PGError.self) { try PGConfiguration("service=broken").validate() }
            #expect(broken?.code == .invalidConfiguration)
            #expect(broken?.message.contains("sesame") == false)
        }
    }

    @Test func testsKeepAwayFromAServiceOnAnotherMachine() async {
        await #expect(processExitsWith: .success) {
            try useServices("[near]\nhost=/tmp\n[far]\nhost=db.invalid\n[farther]\nhostaddr=192.0.2.1")
            for (service, host) in [("far", "db.invalid"), ("farther", "192.0.2.1")] {
                setenv("DATABASE_URL", "service=\(service)", 1)
                #expect(throws: TestDatabaseError.notLocal(host: host)) { try TestDatabase.serverConfiguration() }
            }
            setenv("DATABASE_URL", "service=near", 1)
            _ = try TestDatabase.serverConfiguration()
            setenv("DATABASE_URL", "service=none", 1)
            #expect(throws: PGError.self) { try TestDatabase.serverConfiguration() }
        }
    }

    @Test func aPreferredStandbyIsLookedForAmongAllServersFirst() throws {
        let parameters = try ConnectParameters(PGConfiguration("host=/a,/b target_session_attrs=prefer-standby"))
        let attempts = parameters.attempts().map {
            "\($0.values["host"] ?? "") \($0.values["target_session_attrs"] ?? "")"
        }
        #expect(attempts == ["/a standby", "/b standby", "/a any", "/b any"])
    }

    @Test(arguments: ["host=a\0b", "host=x options='a\0b'"])
    func aNULCharacterInTheConnectionStringIsRefused(conninfo: String) {
        let error = #expect(throws: PGError.self) { try PGConfiguration(conninfo).validate() }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func aNULCharacterInASettingIsRefused() {
        var configuration = PGConfiguration("host=x")
        configuration.parameters = ["search_path": "a\0b"]
        let error = #expect(throws: PGError.self) { try configuration.validate() }
        #expect(error?.code == .invalidConfiguration)
    }
}

/// Has libpq read this service file, in a process of the test's own.
private func useServices(_ text: String) throws {
    let path = NSTemporaryDirectory() + "services-\(getpid())"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    setenv("PGSERVICEFILE", path, 1)
    atexit { unlink(getenv("PGSERVICEFILE")) }
}

/// A TCP port whose queue is full: those who connect hear nothing.
private final class DeafListener {
    let port: UInt16
    private let descriptors: [Int32]

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var descriptors = [listener]
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                var status = bind(listener, address, length) | listen(listener, 0)
                status |= getsockname(listener, address, &length)
                for _ in 0..<4 {
                    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
                    _ = connect(descriptor, address, length)
                    descriptors.append(descriptor)
                }
                return status
            }
        }
        self.port = UInt16(bigEndian: address.sin_port)
        self.descriptors = descriptors
        try #require(status == 0)
    }

    deinit { for descriptor in self.descriptors { close(descriptor) } }
}
