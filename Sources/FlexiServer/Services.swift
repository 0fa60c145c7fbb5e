import DigestAuth
import FoundationEssentials
import OpenSSLCrypto
import PGClient

/// What features are made from. Time and randomness come from here, so that tests choose them.
struct Services: Sendable {
    let database: PGClient
    let configuration: ServerConfiguration
    let keys: DerivedKeys
    let limiter: RateLimiter
    let neighbours: Neighbours
    var now: @Sendable () -> Date = { Date() }
    var random = RandomSource()

    /// Commands that do not serve need no `neighbours`.
    init(database: PGClient, configuration: ServerConfiguration, neighbours: Neighbours = Neighbours()) {
        self.neighbours = neighbours
        self.database = database
        self.configuration = configuration
        self.keys = DerivedKeys(configuration)
        self.limiter = RateLimiter { configuration.rateLimits[$0] ?? 0 }
    }
}

/// One key per purpose, all derived from `FLEXI_SECRET_KEY`.
struct DerivedKeys: Sendable {
    /// Nonces, opaque values and decoys of HTTP Digest.
    let digest: DigestAuthority
    /// Under which PINs are kept as HMAC-SHA-256.
    let code: SecretKey
    /// Under which the subjects of budgets are kept as HMAC-SHA-256.
    let budget: SecretKey
    /// Seals what is read again, by administrators or by the outbox; `FLEXI_SECRET_KEY_PREVIOUS` still opens it.
    let seal: SealingKeyRing

    init(_ configuration: ServerConfiguration) {
        let secret = configuration.secretKey
        self.digest = DigestAuthority(
            secret: secret, nonceLifetime: configuration.nonceLifetime, pathPrefix: configuration.appURL.path)
        self.code = secret.derived(for: "code")
        self.budget = secret.derived(for: "budget")
        self.seal = SealingKeyRing(
            current: SealingKey(secret.derived(for: "seal")),
            previous: configuration.previousSecretKey.map { [SealingKey($0.derived(for: "seal"))] } ?? [])
    }
}

/// Secrets for others to hold, from the system's generator unless a test says otherwise.
struct RandomSource: Sendable {
    /// Letters and digits, all equally likely.
    var token: @Sendable (_ length: Int) -> String = { SecureRandom.token(length: $0) }
    /// Four digits, from 1000 to 9999.
    var pin: @Sendable () -> PIN = {
        guard let pin = PIN(SecureRandom.pin()) else { preconditionFailure("four digits are a PIN") }
        return pin
    }
}
