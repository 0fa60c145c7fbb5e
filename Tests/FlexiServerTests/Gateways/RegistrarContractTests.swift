import Foundation
import NIOCore
import Testing

@testable import FlexiServer

/// What every registrar does, whichever server is behind it.
@Suite("Registrars")
struct RegistrarContractTests {
    private static let alice = SIPAddress("alice@sip.example.org")
    private static let phone = Registration(
        "alice@sip.example.org", "urn:uuid:c5d9b5a8-3c5f-00a4-9bd2-11b8e3ac0e38", "LinphoneAndroid/5.2.5 (Pixel 7)",
        secondsAgo: 60)
    private static let desk = Registration(
        "alice@sip.example.org", "urn:uuid:0b0f5a7e-0000-4000-8000-5a5a5a5a5a5a", "Snom \"D785\" / 10.1",
        secondsAgo: 600)
    private static let foreign = Registration(
        "bob@sip.example.org", "urn:uuid:11111111-0000-4000-8000-000000000000", "Bob", secondsAgo: 5)
    private static let elsewhere = Registration(
        "alice@other.example.org", "urn:uuid:22222222-0000-4000-8000-000000000000", "Alice of another domain",
        secondsAgo: 5)

    @Test(arguments: RegistrarStandIn.allCases)
    func anAccountsOwnDevicesAreListedTheLatestFirst(kind: RegistrarStandIn) async throws {
        let alice = try #require(Self.alice)
        try await kind.with([Self.desk, Self.foreign, Self.phone, Self.elsewhere]) { registrar in
            let devices = try await registrar.devices(of: alice)
            #expect(devices == [Self.phone.device, Self.desk.device])
        }
    }

    @Test(arguments: RegistrarStandIn.allCases)
    func anAccountWithoutDevicesHasNone(kind: RegistrarStandIn) async throws {
        let alice = try #require(Self.alice)
        try await kind.with([Self.foreign]) { registrar in
            let devices = try await registrar.devices(of: alice)
            #expect(devices == [])
            #expect(try await registrar.remove(Self.foreign.device.id, of: alice) == false)
        }
    }

    @Test(arguments: RegistrarStandIn.allCases)
    func aRemovedDeviceIsGoneAndTheOthersStay(kind: RegistrarStandIn) async throws {
        let (alice, bob) = try (#require(Self.alice), #require(SIPAddress("bob@sip.example.org")))
        try await kind.with([Self.phone, Self.desk, Self.foreign]) { registrar in
            let isRemoved = try await registrar.remove(Self.foreign.device.id, of: alice)
            #expect(isRemoved == false)
            #expect(try await registrar.remove(Self.phone.device.id, of: alice))
            #expect(try await registrar.devices(of: alice) == [Self.desk.device])
            #expect(try await registrar.remove(Self.phone.device.id, of: alice) == false)
            #expect(try await registrar.remove(Self.desk.device.id, of: alice))
            #expect(try await registrar.devices(of: alice) == [])
            #expect(try await registrar.devices(of: bob) == [Self.foreign.device])
        }
    }

    @Test(arguments: RegistrarStandIn.allCases)
    func aRegistrarThatIsDownIsAFailure(kind: RegistrarStandIn) async throws {
        let alice = try #require(Self.alice)
        let registrar = try await kind.absent()
        let failure = await #expect(throws: GatewayFailure.self) { try await registrar.devices(of: alice) }
        #expect(failure?.neighbour == .registrar)
        await #expect(throws: GatewayFailure.self) { try await registrar.remove(Self.phone.device.id, of: alice) }
    }

    @Test(arguments: RegistrarStandIn.allCases)
    func aRegistrarThatSaysNothingIsAFailureWhenTimeIsUp(kind: RegistrarStandIn) async throws {
        let alice = try #require(Self.alice)
        try await kind.withReplies(.silence, timeout: .seconds(1)) { registrar in
            await #expect(throws: GatewayFailure.self) { try await registrar.devices(of: alice) }
            await #expect(throws: GatewayFailure.self) { try await registrar.remove(Self.phone.device.id, of: alice) }
        }
    }

    @Test(
        arguments: RegistrarStandIn.allCases,
        [
            "", "HTTP/1.1 400 Bad Request\r\n\r\n", "[]", #"{"contacts":{}}"#, #"{"contacts":[{}]}"#,
            #"{"contacts":[1]}"#,
            #"{"contacts":[{"unique-id":"a"}"#, "Error - Failed to connect to the registrar database", "\u{0}\u{FFFD}",
        ])
    func aRegistrarThatTalksRubbishIsAFailure(kind: RegistrarStandIn, rubbish: String) async throws {
        let alice = try #require(Self.alice)
        // Nothing at all is asked for again until time is up.
        try await kind.withReplies(.answer(rubbish), timeout: .seconds(rubbish.isEmpty ? 1 : 60)) { registrar in
            await #expect(throws: GatewayFailure.self) { try await registrar.devices(of: alice) }
        }
    }

    @Test(arguments: RegistrarStandIn.allCases)
    func whoeverGivesUpIsNotKept(kind: RegistrarStandIn) async throws {
        let alice = try #require(Self.alice)
        try await kind.withReplies(.silence, timeout: .seconds(600)) { registrar in
            let asking = Task { try await registrar.devices(of: alice) }
            asking.cancel()
            await #expect(throws: CancellationError.self) { try await asking.value }
        }
    }
}
