internal import OpenSSLCrypto

/// The `response` of RFC 7616, section 3.4.1, for the quality of protection `auth`.
public enum DigestResponse {
    /// Lower-case hex. `count` is the text of `nc`, eight hexadecimal digits as the client wrote them.
    public static func compute(
        _ algorithm: DigestAlgorithm, ha1: String, nonce: String, count: String, clientNonce: String,
        method: String, uri: String, qop: String = "auth"
    ) -> String {
        let function = algorithm.hashFunction
        let ha2 = Hex.encode(function.hash("\(method):\(uri)"))
        return Hex.encode(function.hash("\(ha1):\(nonce):\(count):\(clientNonce):\(qop):\(ha2)"))
    }
}
