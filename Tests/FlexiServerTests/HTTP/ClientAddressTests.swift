import NIOCore
import Testing

@testable import FlexiServer

@Suite("Client address")
struct ClientAddressTests {
    @Test(arguments: [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("10.9.9.9, 10.1.2.3", "10.9.9.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("nonsense, 10.1.2.3", "10.1.2.3"),
        ("nonsense", "10.0.0.1"),
        ("", "10.0.0.1"),
        ("203.0.113.7/8", "10.0.0.1"),
    ])
    func aTrustedProxySaysWhoItServes(header: String, expected: String) throws {
        var client = try ClientAddress(peer: SocketAddress(ipAddress: "10.0.0.1", port: 4711))
        let isIgnored = try client.forward(header, trusting: #require(NetworkRange.list("10.0.0.0/8")))
        #expect(!isIgnored)
        #expect(client.text == expected)
    }

    @Test func nobodyElseIsBelieved() throws {
        var client = try ClientAddress(peer: SocketAddress(ipAddress: "192.0.2.1", port: 4711))
        let isIgnored = try client.forward("203.0.113.7", trusting: #require(NetworkRange.list("10.0.0.0/8")))
        #expect(isIgnored)
        #expect(client.text == "192.0.2.1")
    }
}
