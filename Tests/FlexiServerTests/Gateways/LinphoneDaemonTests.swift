import Foundation
import Testing

@testable import FlexiServer

@Suite("linphone-daemon")
struct LinphoneDaemonTests {
    private static let taken = StandIn.Reply.answerAndStay("Status: Ok\n\nId: DqipYLWwWZ\n\n")

    private static func message(_ body: String = "Hello there") throws -> SIPMessage {
        try SIPMessage(to: #require(SIPURI("sip:bob@sip.example.org")), body: body)
    }

    private static func withDaemon<Result>(
        timeout: Duration = .seconds(60), reply: @escaping @Sendable (String) async -> StandIn.Reply,
        _ body: (LinphoneDaemon, StandIn) async throws -> Result
    ) async throws -> Result {
        try await withFolder { folder in
            let path = folder.appending(path: "daemon").path
            return try await StandIn.with(.unixSocket(path), reply: reply) { standIn in
                try await body(LinphoneDaemon(socketPath: path, timeout: timeout), standIn)
            }
        }
    }

    @Test func aMessageIsOneCommandOnAConnectionOfItsOwn() async throws {
        try await Self.withDaemon(reply: { _ in Self.taken }) { daemon, standIn in
            #expect(try await daemon.send(Self.message()) == .accepted(id: "DqipYLWwWZ"))
            #expect(standIn.commands == ["message sip:bob@sip.example.org Hello there\n"])
            try await until { standIn.counts.connected == 0 }
        }
    }

    @Test(arguments: ["\n", "\r\n", "\r", "\u{B}", "\u{C}", "\u{85}", "\u{2028}", "\u{2029}"])
    func lineBreaksCannotBeginACommand(lineBreak: String) async throws {
        try await Self.withDaemon(reply: { _ in Self.taken }) { daemon, standIn in
            _ = try await daemon.send(Self.message("one\(lineBreak)quit\(lineBreak)\(lineBreak)three"))
            #expect(standIn.commands == ["message sip:bob@sip.example.org one\u{2028}quit\u{2028}\u{2028}three\n"])
        }
    }

    @Test func anAddressThatTheDaemonDoesNotUnderstandIsNoFailure() async throws {
        try await Self.withDaemon(reply: { _ in .answerAndStay("Status: Error\nReason: Bad sip uri.\n") }) {
            daemon, _ in
            let outcome = try await daemon.send(Self.message())
            #expect(outcome == .unknownAddress)
        }
    }

    @Test(arguments: [
        ("Status: Error\nReason: Internal error creating chat room.\n", "refused: Internal error creating chat room."),
        ("Status: Ok\n\nNothing\n", "makes no sense"), ("HTTP/1.1 400 Bad Request\r\n\r\n", "makes no sense"),
        ("Status: Ok\n\nId: \(String(repeating: "x", count: 5_000))", "AnswerTooLong"),
    ])
    func anyOtherAnswerIsAFailure(answer: String, reason: String) async throws {
        try await Self.withDaemon(reply: { _ in .answerAndStay(answer) }) { daemon, _ in
            let failure = await #expect(throws: GatewayFailure.self) { try await daemon.send(Self.message()) }
            #expect(failure?.neighbour == .messenger)
            #expect(failure?.reason.contains(reason) == true, "\(failure?.reason ?? "")")
        }
    }

    @Test func anAnswerThatIsCutShortIsNotAskedForAgain() async throws {
        try await Self.withDaemon(reply: { _ in .answer("Status: Ok\n\nId: Dqi") }) { daemon, standIn in
            let failure = await #expect(throws: GatewayFailure.self) { try await daemon.send(Self.message()) }
            #expect(failure?.reason.contains("CutShort") == true)
            #expect(standIn.commands.count == 1)
        }
    }

    @Test func aDaemonThatHangsUpSinceItHasAClientIsAskedAgain() async throws {
        let left = Shared(3)
        try await Self.withDaemon(
            reply: { _ in
                left.change { left in
                    left -= 1
                    return left < 0
                } ? Self.taken : .hangUp
            }
        ) { daemon, standIn in
            let outcome = try await daemon.send(Self.message())
            #expect(outcome == .accepted(id: "DqipYLWwWZ"))
            #expect(standIn.commands.count == 4)
        }
    }

    @Test func oneClientAtATimeIsConnected() async throws {
        try await Self.withDaemon(reply: { _ in Self.taken }) { daemon, standIn in
            let outcomes = try await race(30) { index in try await daemon.send(Self.message("number \(index)")) }
            #expect(outcomes == Array(repeating: .accepted(id: "DqipYLWwWZ"), count: 30))
            #expect(Set(standIn.commands).count == 30)
            #expect(standIn.counts.mostConnected <= 2, "one, and one whose end the stand-in has not seen yet")
        }
    }

    @Test func whoeverWouldMakeTheQueueTooLongIsTurnedAway() async throws {
        let gate = TestGate()
        try await Self.withDaemon(
            reply: { _ in
                await gate.wait()
                return Self.taken
            }
        ) { daemon, _ in
            let turnedAway = Shared(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<80 {
                    group.addTask {
                        do {
                            _ = try await daemon.send(Self.message())
                        } catch let failure as GatewayFailure where failure.reason.contains("QueueFull") {
                            turnedAway.change { $0 += 1 }
                        }
                    }
                }
                try await until { turnedAway.value == 15 }
                gate.open()
                try await group.waitForAll()
            }
            #expect(turnedAway.value == 15, "one asks, and 64 wait")
        }
    }

    @Test func aDaemonThatIsNotThereIsAFailure() async throws {
        try await withFolder { folder in
            let daemon = LinphoneDaemon(socketPath: folder.appending(path: "none").path, timeout: .seconds(60))
            await #expect(throws: GatewayFailure.self) { try await daemon.send(Self.message()) }
        }
    }
}
