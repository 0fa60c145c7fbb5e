import Testing

@testable import DigestAuth

@Suite("Published digest vectors")
struct DigestVectorTests {
    struct Vector: Sendable {
        let algorithm: DigestAlgorithm
        let realm: String
        let password: String
        let nonce: String
        let clientNonce: String
        let response: String
    }

    /// RFC 2617, section 3.5, and RFC 7616, section 3.9.1: Mufasa reads /dir/index.html.
    static let vectors = [
        Vector(
            algorithm: .md5, realm: "testrealm@host.com", password: "Circle Of Life",
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", clientNonce: "0a4f113b",
            response: "6629fae49393a05397450978507c4ef1"),
        Vector(
            algorithm: .md5, realm: "http-auth@example.org", password: "Circle of Life",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            response: "8ca523f5e9506fed4657c9700eebdbec"),
        Vector(
            algorithm: .sha256, realm: "http-auth@example.org", password: "Circle of Life",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            response: "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ]

    @Test(arguments: Self.vectors)
    func theResponseOfTheRFCComes(vector: Vector) {
        let ha1 = HA1.compute(
            vector.algorithm, username: "Mufasa", realm: vector.realm, password: vector.password)
        let response = DigestResponse.compute(
            vector.algorithm, ha1: ha1, nonce: vector.nonce, count: "00000001", clientNonce: vector.clientNonce,
            method: "GET", uri: "/dir/index.html")
        #expect(response == vector.response)
    }

    /// The header lines of RFC 7616, section 3.9.1, as they are printed there.
    @Test(arguments: [
        ("MD5", DigestAlgorithm.md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (
            "SHA-256", DigestAlgorithm.sha256,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        ),
    ])
    func theHeaderOfTheRFCIsRead(name: String, algorithm: DigestAlgorithm, response: String) throws {
        let header = """
            Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=\(name), \
            nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, \
            cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="\(response)", \
            opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
            """
        let credentials = try DigestCredentials(parsing: header)
        #expect(credentials.username == "Mufasa")
        #expect(credentials.algorithm == algorithm)
        #expect(credentials.count == 1)
        #expect(credentials.opaque == "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")
        #expect(credentials.isAnswer(ofPassword: "Circle of Life", method: "GET"))
        #expect(!credentials.isAnswer(ofPassword: "Circle Of Life", method: "GET"))
    }

    /// Expected values by Python's hashlib.
    @Test func theHashesForSIPServersAreThoseOfOtherTools() {
        #expect(
            HA1.md5WithDomain(
                username: "pauline", domain: "sip.example.org", realm: "sip.example.org", password: "secret")
                == "d0d53e2262e4d5af59684e37d086bf72")
        #expect(
            HA1.sha512Truncated256(username: "pauline", realm: "sip.example.org", password: "secret")
                == "b4dc7ef296c60cc740230eab0e06cf38e9b6e129cc341bd8a18458e14b5cc889")
    }
}

extension DigestCredentials {
    /// Whether the response is that of this password, whatever else the header says.
    func isAnswer(ofPassword password: String, method: String) -> Bool {
        let ha1 = HA1.compute(self.algorithm, username: self.username, realm: self.realm, password: password)
        let expected = DigestResponse.compute(
            self.algorithm, ha1: ha1, nonce: self.nonce, count: self.countText, clientNonce: self.clientNonce,
            method: method, uri: self.uri, qop: self.protection)
        return expected == self.responseText
    }

    var responseText: String {
        self.response.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
