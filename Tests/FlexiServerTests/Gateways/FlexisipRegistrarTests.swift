import Foundation
import Testing

@testable import FlexiServer

@Suite("Flexisip's control socket")
struct FlexisipRegistrarTests {
    private static let alice = SIPAddress("alice@sip.example.org")

    /// What a proxy of that version answers to REGISTRAR_GET.
    private static let version20 = #"""
        {"contacts":[{"contact":"\"Alice\" <sip:alice@192.0.2.7:38561;transport=tls>","path":["<sip:192.0.2.1:5059;lr>"],"expires_at":1670003600,"q":1,"line_value_copy":"\"<urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38>\"","user_agent":"LinphoneiOS/4.5 (iPhone) LinphoneSDK/5.0","call_id":"ydzPZyQcJE","cseq":20,"accept":["application/sdp","text/plain"],"alias":0,"update_time":1670000000}]}
        """#
    private static let version21 = #"""
        {
        	"contacts":	[{
        			"contact":	"sip:alice@192.0.2.7:38561;transport=tls;pn-provider=fcm",
        			"path":	["sip:192.0.2.1:5059;lr"],
        			"expires-at":	1670003600,
        			"q":	1,
        			"unique-id":	"\"<urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38>\"",
        			"user-agent":	"LinphoneiOS/4.5 (iPhone) LinphoneSDK/5.0",
        			"call-id":	"ydzPZyQcJE",
        			"cseq":	20,
        			"accept":	["application/sdp", "text/plain"],
        			"alias":	0,
        			"update-time":	1670000000,
        			"contact-id":	"x"
        		}]
        }
        """#

    @Test(arguments: [version20, version21])
    func theAnswersOfBothVersionsMeanTheSame(answer: String) async throws {
        let alice = try #require(Self.alice)
        try await withFlexisip(reply: { _ in .answer(answer) }) { registrar, standIn in
            let phone = Device(
                id: Device.ID("urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38"),
                userAgent: "LinphoneiOS/4.5 (iPhone) LinphoneSDK/5.0",
                updatedAt: Date(timeIntervalSince1970: 1_670_000_000),
                expiresAt: Date(timeIntervalSince1970: 1_670_003_600))
            let devices = try await registrar.devices(of: alice)
            #expect(devices == [phone])
            #expect(standIn.commands == ["REGISTRAR_GET sip:alice@sip.example.org"])
        }
    }

    @Test(arguments: [version20, version21])
    func aDeviceIsDeletedUnderTheIdThatIsStored(answer: String) async throws {
        let alice = try #require(Self.alice)
        try await withFlexisip(reply: { _ in .answer(answer) }) { registrar, standIn in
            let phone = Device.ID(requested: "c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38")
            let isRemoved = try await registrar.remove(phone, of: alice)
            #expect(isRemoved)
            #expect(
                standIn.commands == [
                    "REGISTRAR_GET sip:alice@sip.example.org",
                    "REGISTRAR_DELETE sip:alice@sip.example.org \"<urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38>\"",
                ])
        }
    }

    @Test func fiveHundredDevicesAreReadToTheEnd() async throws {
        let alice = try #require(Self.alice)
        let registrations = (0..<500).map { number in
            Registration(
                "alice@sip.example.org", "urn:uuid:00000000-0000-4000-8000-\(100_000_000_000 + number)",
                "Phone \(number) \(String(repeating: "x", count: 500))", secondsAgo: number)
        }
        let proxy = ProxyStandIn(registrations, hasDashes: true)
        try await withFlexisip(reply: { proxy.reply($0) }) { registrar, _ in
            let devices = try await registrar.devices(of: alice)
            #expect(devices == registrations.map(\.device))
        }
    }

    @Test(arguments: [
        #"{"contacts":[{"unique-id":"fs-cli-gen-1a2b"}]}"#,
        #"{"contacts":[{"unique-id":"fs-cli-gen-1a2b","user-agent":""}]}"#,
        #"{"contacts":[{"unique-id":"<fs-cli-gen-1a2b>","update-time":0,"expires-at":"soon"}]}"#,
    ])
    func aDeviceMayHaveAMadeUpIdAndNothingElse(answer: String) async throws {
        let alice = try #require(Self.alice)
        try await withFlexisip(reply: { _ in .answer(answer) }) { registrar, _ in
            let device = Device(id: Device.ID("fs-cli-gen-1a2b"), userAgent: "", updatedAt: nil, expiresAt: nil)
            let devices = try await registrar.devices(of: alice)
            #expect(devices == [device])
        }
    }

    @Test(arguments: ["{}", #"{"contacts":[]}"#, #"{"contacts":null}"#])
    func anEmptyRecordIsNoDevice(answer: String) async throws {
        let alice = try #require(Self.alice)
        try await withFlexisip(reply: { _ in .answer(answer) }) { registrar, _ in
            let devices = try await registrar.devices(of: alice)
            #expect(devices == [])
        }
    }

    @Test func anErrorTextIsAFailureThatQuotesIt() async throws {
        let alice = try #require(Self.alice)
        try await withFlexisip(reply: { _ in .answer("Error connecting to the Registrar") }) { registrar, _ in
            let failure = await #expect(throws: GatewayFailure.self) { try await registrar.devices(of: alice) }
            #expect(failure?.reason == "the proxy answered: Error connecting to the Registrar")
        }
    }

    @Test func aConnectionThatIsCutIsAFailure() async throws {
        let alice = try #require(Self.alice)
        let answer = String(Self.version21.prefix(200))
        try await withFlexisip(reply: { _ in .answer(answer) }) { registrar, _ in
            let failure = await #expect(throws: GatewayFailure.self) { try await registrar.devices(of: alice) }
            #expect(failure?.reason == "the proxy's answer is no whole JSON text")
        }
    }

    @Test func aConnectionThatIsCutBeforeTheFirstByteIsMadeAgain() async throws {
        let alice = try #require(Self.alice)
        let isFirst = Shared(true)
        try await withFlexisip(
            reply: { _ in
                isFirst.change { isFirst in
                    defer { isFirst = false }
                    return isFirst
                } ? .hangUp : .answer(Self.version21)
            }
        ) { registrar, standIn in
            let devices = try await registrar.devices(of: alice)
            #expect(devices.count == 1)
            #expect(standIn.commands.count == 2)
        }
    }

    @Test func aCommandThatTheProxyWouldCutIsNotSent() async throws {
        let domain = try #require(DomainName("sip.example.org"))
        let address = SIPAddress(storedUsername: String(repeating: "x", count: 500), domain: domain)
        try await withFlexisip(reply: { _ in .answer(Self.version21) }) { registrar, standIn in
            let failure = await #expect(throws: GatewayFailure.self) { try await registrar.devices(of: address) }
            #expect(failure?.reason == "the command is longer than the proxy reads")
            #expect(standIn.commands == [])
        }
    }

    @Test func anIdThatWouldBecomeTwoWordsIsNotSent() async throws {
        let alice = try #require(Self.alice)
        let answer = #"{"contacts":[{"unique-id":"\"<a b>\""}]}"#
        try await withFlexisip(reply: { _ in .answer(answer) }) { registrar, standIn in
            await #expect(throws: GatewayFailure.self) { try await registrar.remove(Device.ID("a b"), of: alice) }
            #expect(standIn.commands.count == 1)
        }
    }

    @Test(arguments: [
        ("\"<urn:uuid:1>\"", "urn:uuid:1"), ("<urn:uuid:1>", "urn:uuid:1"), ("\"urn:uuid:1\"", "urn:uuid:1"),
        ("urn:uuid:1", "urn:uuid:1"), ("fs-gen-1", "fs-gen-1"), ("\"", "\""), ("<>", ""), ("<a", "<a"),
    ])
    func anIdIsReadWithoutItsWrapping(text: String, id: String) {
        #expect(Device.ID(text).value == id)
    }

    @Test func theProxysNewProcessIsFound() async throws {
        let alice = try #require(Self.alice)
        try await withFolder { folder in
            let file = folder.appending(path: "pid")
            let registrar = FlexisipRegistrar(
                processIDFile: file.path, socketDirectory: folder.path, timeout: .seconds(60))
            for text in ["7", "12345\n"] {
                let id = text.trimmingCharacters(in: .whitespacesAndNewlines)
                try Data(text.utf8).write(to: file)
                try await StandIn.with(
                    .unixSocket("\(folder.path)/flexisip-proxy-\(id)"), reply: { _ in .answer(Self.version21) }
                ) { _ in
                    let devices = try await registrar.devices(of: alice)
                    #expect(devices.count == 1)
                }
            }
            for (text, reason) in [
                ("", "holds no process id"), ("x", "holds no process id"), ("-1", "holds no process id"),
            ] {
                try Data(text.utf8).write(to: file)
                let failure = await #expect(throws: GatewayFailure.self) { try await registrar.devices(of: alice) }
                #expect(failure?.reason.hasSuffix(reason) == true)
            }
        }
    }
}
