public import OpenSSLCrypto

public import struct FoundationEssentials.Date

/// Challenges callers and verifies their answers (RFC 7616, `qop=auth`).
///
/// Holds no state but its keys; replays are found by the caller, who keeps the counts of nonces. Every answer costs
/// the same hashes, whoever it claims to come from.
public struct DigestAuthority: Sendable {
    private let nonces: DigestNonceIssuer
    private let opaqueKey: SecretKey
    private let decoyKey: SecretKey
    private let pathPrefix: String

    /// `secret` is the root key; one key per purpose is derived from it. `pathPrefix` is the path of the public URL,
    /// such as `/flexiapi`: a proxy may take it off, but clients hash the target that they sent.
    public init(secret: SecretKey, nonceLifetime: Duration, pathPrefix: String = "") {
        self.nonces = DigestNonceIssuer(key: secret.derived(for: "nonce"), lifetime: nonceLifetime)
        self.opaqueKey = secret.derived(for: "opaque")
        self.decoyKey = secret.derived(for: "decoy")
        self.pathPrefix = pathPrefix.hasSuffix("/") ? String(pathPrefix.dropLast()) : pathPrefix
    }

    /// One challenge per algorithm of the subject, in the order in which they must be sent, all with one nonce: the
    /// given one, when the answer to an accepted request offers it again, or a new one.
    public func challenges(
        for subject: DigestSubject, at now: Date, isStale: Bool = false, nonce: String? = nil
    ) -> [DigestChallenge] {
        let nonce = nonce ?? self.nonces.issue(for: subject.address, at: now)
        let opaque = self.opaque(for: subject.realm)
        return subject.offeredAlgorithms.map {
            DigestChallenge(realm: subject.realm, algorithm: $0, nonce: nonce, opaque: opaque, isStale: isStale)
        }
    }

    /// `method` and `target` are those of the request line, the target percent-encoded as it came.
    public func verify(
        _ credentials: DigestCredentials, of subject: DigestSubject, method: String, target: String, at now: Date
    ) -> DigestVerdict {
        // Made for everybody, so that it takes no longer when it is needed.
        let decoy = self.decoyHash(for: subject.address)
        let ha1 = subject.hashes[credentials.algorithm]
        let expected = DigestResponse.compute(
            credentials.algorithm, ha1: ha1 ?? decoy, nonce: credentials.nonce,
            count: credentials.countText, clientNonce: credentials.clientNonce, method: method, uri: credentials.uri,
            qop: credentials.protection)
        let isResponseRight = ConstantTime.equal(Hex.encode(credentials.response), expected)
        let areParametersRight =
            ConstantTime.equal(credentials.username, subject.username)
            && ConstantTime.equal(credentials.realm, subject.realm)
            && ConstantTime.equal(credentials.opaque, self.opaque(for: subject.realm))
            && self.names(credentials.uri, target)
        let nonce = self.nonces.check(credentials.nonce, for: subject.address, at: now)

        if nonce == .invalid { return .invalidNonce }
        guard isResponseRight, areParametersRight, ha1 != nil else { return .rejected }
        return switch nonce {
        case .valid(let nonce): .accepted(nonce, count: credentials.count)
        case .stale: .staleNonce
        case .invalid: .invalidNonce
        }
    }

    private func opaque(for realm: String) -> String {
        Hex.encode(HMACSHA256.authenticate(Array(realm.utf8), key: self.opaqueKey).prefix(16))
    }

    private func decoyHash(for address: String) -> String {
        Hex.encode(HMACSHA256.authenticate(Array(address.utf8), key: self.decoyKey))
    }

    /// Byte for byte, before any decoding: `%40` and `@` are two targets.
    private func names(_ uri: String, _ target: String) -> Bool {
        let (uri, target) = (Self.originForm(of: uri), Self.originForm(of: target))
        if uri.elementsEqual(target) { return true }
        let prefix = self.pathPrefix.utf8
        return !prefix.isEmpty && uri.starts(with: prefix) && uri.dropFirst(prefix.count).elementsEqual(target)
    }

    /// Takes `http://authority` off an absolute form (RFC 9112, section 3.2.2).
    private static func originForm(of target: String) -> Substring.UTF8View {
        if target.utf8.first == UInt8(ascii: "/") { return Substring(target).utf8 }
        for scheme in ["http://", "https://"] where target.prefix(scheme.count).lowercased() == scheme {
            let rest = target.dropFirst(scheme.count)
            guard let path = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return Substring("/").utf8 }
            return rest[path] == "?" ? Substring("/" + rest[path...]).utf8 : rest[path...].utf8
        }
        return Substring(target).utf8
    }
}
