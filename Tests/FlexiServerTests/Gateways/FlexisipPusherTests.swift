import Foundation
import Testing

@testable import FlexiServer

@Suite("flexisip_pusher")
struct FlexisipPusherTests {
    private static func device(_ provider: PushDevice.Provider = .firebase) throws -> PushDevice {
        try #require(PushDevice(provider: provider, parameter: "project-1", resourceID: "cAbc:APA91b-_x"))
    }

    @Test(arguments: [
        #"{"token":"abc"}"#, "a b", "'", "\"", "$(touch /tmp/hurt)", "`id`", "a\nb\r\nc", "; exit 1", "\\", "*", "-rf",
        "é☎",
    ])
    func whateverIsSentArrivesAsOneArgument(payload: String) async throws {
        try await withFolder { folder in
            let program = try PusherProgram(in: folder)
            let pusher = FlexisipPusher(
                program: program.path, firebaseKeyFile: "/etc/key 1.json", timeout: .seconds(60))
            try await pusher.send(Secret(payload), to: Self.device())
            #expect(
                try program.arguments() == [
                    "--pn-provider", "fcm", "--pn-param", "project-1", "--pn-prid", "cAbc:APA91b-_x", "--key",
                    "/etc/key 1.json", "--customPayload", payload,
                ])
        }
    }

    @Test func anApplePhoneGetsABackgroundNotificationAndNoFirebaseKey() async throws {
        try await withFolder { folder in
            let program = try PusherProgram(in: folder)
            let pusher = FlexisipPusher(program: program.path, firebaseKeyFile: "/etc/key.json", timeout: .seconds(60))
            try await pusher.send(Secret("{}"), to: Self.device(.appleSandbox))
            #expect(
                try program.arguments() == [
                    "--pn-provider", "apns.dev", "--pn-param", "project-1", "--pn-prid", "cAbc:APA91b-_x",
                    "--apple-push-type", "Background", "--customPayload", "{}",
                ])
        }
    }

    @Test func theProgramSeesNothingOfTheServersEnvironment() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "environment").path
            let program = try PusherProgram(in: folder, then: "/usr/bin/env > '\(file)'")
            try await FlexisipPusher(program: program.path, firebaseKeyFile: nil, timeout: .seconds(60))
                .send(Secret("{}"), to: Self.device())
            let names = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map {
                $0.prefix { $0 != "=" }
            }
            // The shell adds the others itself.
            #expect(Set(names).isSubset(of: ["PATH", "PWD", "OLDPWD", "SHLVL", "_"]))
        }
    }

    @Test(arguments: [("exit 1", "exited(1)"), ("exit 255", "exited(255)"), ("kill -9 $$", "signaled(9)")])
    func anythingButStatusZeroIsAFailure(then: String, reason: String) async throws {
        try await withFolder { folder in
            let program = try PusherProgram(in: folder, then: then)
            let pusher = FlexisipPusher(program: program.path, firebaseKeyFile: nil, timeout: .seconds(60))
            let failure = await #expect(throws: GatewayFailure.self) {
                try await pusher.send(Secret("{}"), to: Self.device())
            }
            #expect(failure?.neighbour == .pusher)
            #expect(failure?.reason.hasPrefix(reason) == true)
        }
    }

    @Test func whatAFailedProgramSaidIsQuotedWithoutSecrets() async throws {
        try await withFolder { folder in
            let program = try PusherProgram(
                in: folder, then: "echo \"no route for $6, sent $8\"; echo late >&2; exit 3")
            let pusher = FlexisipPusher(program: program.path, firebaseKeyFile: nil, timeout: .seconds(60))
            let failure = await #expect(throws: GatewayFailure.self) {
                try await pusher.send(Secret(#"{"token":"t0p5ecret"}"#), to: Self.device())
            }
            #expect(failure?.reason == "exited(3): no route for …, sent …\nlate\n")
        }
    }

    @Test func aProgramThatTakesTooLongIsKilled() async throws {
        try await withFolder { folder in
            let program = try PusherProgram(in: folder, then: "exec sleep 600")
            let pusher = FlexisipPusher(program: program.path, firebaseKeyFile: nil, timeout: .seconds(1))
            let failure = await #expect(throws: GatewayFailure.self) {
                try await pusher.send(Secret("{}"), to: Self.device())
            }
            #expect(failure?.reason == "no answer within 1.0 seconds")
            // It was started, and is not there any more.
            if let id = program.processID() { #expect(kill(id, 0) == -1 && errno == ESRCH) }
        }
    }

    @Test func whatAKilledProgramHasStartedIsKilledToo() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "child").path
            let program = try PusherProgram(in: folder, then: "sleep 600 & echo $! > '\(file)'; wait")
            let pusher = FlexisipPusher(program: program.path, firebaseKeyFile: nil, timeout: .seconds(600))
            let child = try await withThrowingTaskGroup { group in
                group.addTask { try await pusher.send(Secret("{}"), to: Self.device()) }
                var child: pid_t?
                try await until {
                    child = (try? String(contentsOfFile: file, encoding: .utf8)).flatMap { pid_t($0.dropLast()) }
                    return child != nil
                }
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.waitForAll() }
                return try #require(child)
            }
            // An orphan is gone when it has been waited for by whoever took it over.
            try await until { kill(child, 0) == -1 || Self.isZombie(child) }
        }
    }

    private static func isZombie(_ process: pid_t) -> Bool {
        (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8))?.contains(") Z ") ?? true
    }

    @Test func aProgramThatNeverStopsTalkingIsKilled() async throws {
        try await withFolder { folder in
            let program = try PusherProgram(in: folder, then: "exec yes")
            let pusher = FlexisipPusher(program: program.path, firebaseKeyFile: nil, timeout: .seconds(60))
            await #expect(throws: GatewayFailure.self) { try await pusher.send(Secret("{}"), to: Self.device()) }
            let id = try #require(program.processID())
            #expect(kill(id, 0) == -1 && errno == ESRCH)
        }
    }

    @Test func aMissingProgramIsAFailure() async throws {
        let pusher = FlexisipPusher(program: "/nowhere/flexisip_pusher", firebaseKeyFile: nil, timeout: .seconds(60))
        let failure = await #expect(throws: GatewayFailure.self) {
            try await pusher.send(Secret("{}"), to: Self.device())
        }
        #expect(failure?.neighbour == .pusher)
    }

    @Test(arguments: [
        "", " ", "a b", "-a", "--key", "a;b", "a'b", "a\"b", "a$b", "a$(id)", "a`id`", "a\nb", "a|b", "a/b", "a\\b",
        "é", "a\u{0}",
    ])
    func whatIsNoNameOfADeviceIsNone(text: String) {
        #expect(PushDevice(provider: .firebase, parameter: text, resourceID: "a") == nil)
        #expect(PushDevice(provider: .firebase, parameter: "a", resourceID: text) == nil)
    }

    @Test func namesThatPhonesHaveAreTaken() {
        #expect(
            PushDevice(
                provider: .apple, parameter: "ABCD1234.org.example.phone.remote&voip",
                resourceID: "00fa5c:remote&11be:voip") != nil)
        #expect(
            PushDevice(
                provider: .firebase, parameter: "929724111839",
                resourceID: "fUzQ_1:APA91bE-\(String(repeating: "x", count: 500))")
                != nil)
        #expect(
            PushDevice(provider: .firebase, parameter: "a", resourceID: String(repeating: "x", count: 1_025)) == nil)
    }
}

/// A program in the place of flexisip_pusher: writes down what it is given, and then does as a test says.
struct PusherProgram {
    let path: String
    private let folder: URL

    /// `then` is a line for a shell; with none the program ends well.
    init(in folder: URL, then: String = "exit 0") throws {
        self.folder = folder
        let program = folder.appending(path: "flexisip_pusher")
        self.path = program.path
        let script = """
            #!/bin/sh
            echo $$ > '\(folder.path)/process'
            printf '%s\\0' "$@" > '\(folder.path)/arguments.new'
            mv '\(folder.path)/arguments.new' '\(folder.path)/arguments'
            \(then)

            """
        try Data(script.utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: program.path)
    }

    var wasRun: Bool {
        FileManager.default.fileExists(atPath: self.folder.appending(path: "arguments").path)
    }

    /// Those of the last run.
    func arguments() throws -> [String] {
        let data = try Data(contentsOf: self.folder.appending(path: "arguments"))
        return data.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// Of the last run; `nil` before the first one has come so far.
    func processID() -> pid_t? {
        (try? String(contentsOf: self.folder.appending(path: "process"), encoding: .utf8)).flatMap {
            pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
}
