import DigestAuth
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Logging
import OpenSSLCrypto
import PGClient

/// Finds out which account a request comes from: by API key in the `x-api-key` header or cookie, or by HTTP Digest
/// (RFC 7616).
///
/// `From` names the account, except that a valid key in the header is enough. Unknown, inactive and wrong callers get
/// one and the same answer, with challenges that do not tell them apart.
struct AccountAuthenticator: RouterMiddleware {
    private let services: Services
    private let credentials: CredentialRepository

    init(_ services: Services) {
        self.services = services
        self.credentials = CredentialRepository(services.database, reads: services.database.sharedReads)
    }

    func handle(
        _ request: Request, context: PublicContext,
        next: @concurrent (Request, PublicContext) async throws -> Response
    ) async throws -> Response {
        let ((account, challenges), allowance) = try await self.countedAuthentication(request, context)
        var context = context
        context.identity = account
        var response: Response
        do {
            response = try await next(request, context).adding(allowance)
        } catch let error as APIError {
            throw error.adding(allowance)
        }
        // What only one caller may see must stay in no cache.
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        // As the reference system does: clients count on with the nonce they have.
        for challenge in challenges {
            response.headers.append(HTTPField(name: .wwwAuthenticate, value: challenge.headerValue))
        }
        return response
    }

    /// Counts whoever proves who they are by account, and everybody else by network: those who offer no proof before the
    /// database is asked for their challenges, and the others after they have failed.
    private func countedAuthentication(
        _ request: Request, _ context: PublicContext
    ) async throws -> (Success, RateLimit.Allowance?) {
        let (limiter, now) = (self.services.limiter, self.services.now())
        let network = RateLimit.Subject.network(context.client.network)
        let offersProof =
            request.headers[.apiKey] != nil || request.headers[.authorization] != nil
            || APIKeyCookie.key(in: request.headers) != nil
        let early = offersProof ? nil : try limiter.take(.requests, by: network, at: now)
        if offersProof { try limiter.check(.failures, by: network, at: now) }
        let success: Success
        do {
            success = try await self.authenticate(request, context)
        } catch let error as APIError {
            guard offersProof else { throw error.adding(early) }
            limiter.note(.failures, by: network, at: now)
            throw try error.adding(limiter.take(.requests, by: network, at: now))
        }
        return try (success, limiter.take(.requests, by: .account(success.account.id), at: now))
    }

    private typealias Success = (account: AuthenticatedAccount, challenges: [DigestChallenge])

    private func authenticate(_ request: Request, _ context: PublicContext) async throws -> Success {
        let now = self.services.now()
        let from = try self.claimedAddress(request)
        let headerKey = request.headers[.apiKey].flatMap { $0.isEmpty ? nil : $0 }
        if let headerKey, let owner = try await self.owner(of: headerKey, claiming: from, at: now) {
            return (self.account(owner.identity, .apiKey(owner.key)), [])
        }
        guard let from else { throw self.missingFrom(hasKey: headerKey != nil) }
        if headerKey == nil, let cookieKey = APIKeyCookie.key(in: request.headers),
            let owner = try await self.owner(of: cookieKey, claiming: from, at: now)
        {
            return (self.account(owner.identity, .cookie(owner.key)), [])
        }
        let claim = try await self.credentials.findClaim(from, defaultRealm: self.services.configuration.accountRealm)
        let subject = DigestSubject(from, claim)
        let refusal: Refusal
        if headerKey != nil {
            refusal = .unauthorized
        } else if let authorization = request.headers[.authorization] {
            let guesser = RateLimit.Subject.claim(
                username: from.username, domain: from.domain, context.client.network)
            try self.services.limiter.check(.authentication, by: guesser, at: now)
            switch try await self.verify(authorization, of: subject, in: request, at: now) {
            case .success(let nonce):
                // Of guesses that come together, one that is right after too many wrong ones is not told so.
                try self.services.limiter.check(.authentication, by: guesser, at: now)
                // `verify` accepts nobody but active accounts: the others have no hash that an answer could match.
                guard let identity = claim.identity else { throw APIError.defect }
                let challenges = self.services.keys.digest.challenges(for: subject, at: now, nonce: nonce)
                return (self.account(identity, .digest), challenges)
            case .failure(let reason):
                refusal = reason
                if reason == .unauthorized { try self.services.limiter.take(.authentication, by: guesser, at: now) }
            }
        } else {
            refusal = APIKeyCookie.key(in: request.headers) == nil ? .unauthenticated : .unauthorized
        }
        if refusal != .unauthenticated {
            context.logger.info(
                "credentials refused",
                metadata: [
                    "reason": .string(refusal.rawValue), "client.address": .string(context.client.text ?? "local"),
                ])
        }
        let challenges = self.services.keys.digest.challenges(for: subject, at: now, isStale: refusal.isStale)
        throw APIError.unauthenticated(refusal.message, challenges)
    }

    private func account(
        _ identity: AccountIdentity, _ credential: AuthenticatedAccount.Credential
    ) -> AuthenticatedAccount {
        AuthenticatedAccount(identity, by: credential, configuration: self.services.configuration)
    }

    // MARK: From

    /// `nil` when there is no `From`; 422 when it is no SIP address.
    private func claimedAddress(_ request: Request) throws(APIError) -> SIPAddress? {
        guard let header = request.headers[.from] else { return nil }
        guard let address = SIPAddress(fromHeader: header) else {
            throw .invalid("from", "The From header must be a SIP address.")
        }
        return address
    }

    private func missingFrom(hasKey: Bool) -> APIError {
        .invalid(
            "from",
            hasKey ? "The From header is missing, and the API key alone is not valid." : "The From header is missing.")
    }

    // MARK: API keys

    /// The active account whose valid key this is; `nil` too when it is not the claimed one.
    private func owner(
        of key: String, claiming claimed: SIPAddress?, at now: Date
    ) async throws -> (identity: AccountIdentity, key: APIKeyRecord.ID)? {
        guard let record = try await self.credentials.findKey(SHA256.hash(key)), record.owner.isActive,
            record.isValid(at: now, idleExpiry: self.services.configuration.apiKeyIdleExpiry)
        else { return nil }
        if let claimed, claimed.username != record.owner.username || claimed.domain != record.owner.domain {
            return nil
        }
        if record.isUseWorthWriting(at: now) { try await self.credentials.updateLastUse(of: record.id, at: now) }
        return (record.owner, record.id)
    }

    // MARK: Digest

    private enum Refusal: String {
        case unauthenticated = "no credentials"
        case unauthorized = "not right"
        case invalidNonce = "unknown nonce"
        case staleNonce = "stale nonce"
        case replayedNonce = "replayed nonce"

        /// The texts of the reference system, which clients look for.
        var message: String {
            switch self {
            case .unauthenticated: "Unauthenticated request"
            case .unauthorized: "Unauthorized"
            case .invalidNonce, .staleNonce: "Nonce invalid"
            case .replayedNonce: "Nonce replayed"
            }
        }

        var isStale: Bool {
            self == .staleNonce
        }
    }

    private enum Verdict {
        case success(nonce: String)
        case failure(Refusal)
    }

    private func verify(
        _ authorization: String, of subject: DigestSubject, in request: Request, at now: Date
    ) async throws -> Verdict {
        let answer: DigestCredentials
        do {
            answer = try DigestCredentials(parsing: authorization)
        } catch {
            return .failure(error == .otherScheme ? .unauthenticated : .unauthorized)
        }
        let verdict = self.services.keys.digest.verify(
            answer, of: subject, method: request.method.rawValue, target: request.head.path ?? "", at: now)
        switch verdict {
        case .rejected: return .failure(.unauthorized)
        case .invalidNonce: return .failure(.invalidNonce)
        case .staleNonce: return .failure(.staleNonce)
        case .accepted(let nonce, let count):
            // Kept a minute longer than any server, its clock a little slow, takes the nonce for valid.
            let lifetime = Double(self.services.configuration.nonceLifetime.components.seconds)
            let expiresAt = nonce.issuedAt.addingTimeInterval(lifetime + 60)
            switch try await self.credentials.count(nonce, count, expiresAt: expiresAt, at: now) {
            case .counted: return .success(nonce: answer.nonce)
            case .replayed: return .failure(.replayedNonce)
            case .older:
                try await self.credentials.startEpoch(at: now)
                return .failure(.staleNonce)
            }
        }
    }
}

extension DigestSubject {
    /// A decoy stands for everybody who could not get in with any password.
    fileprivate init(_ address: SIPAddress, _ claim: CredentialRepository.Claim) {
        if let identity = claim.identity, identity.isActive, !claim.hashes.isEmpty {
            self.init(
                username: address.username, domain: address.domain.value, realm: claim.realm, hashes: claim.hashes)
        } else {
            self = .decoy(username: address.username, domain: address.domain.value, realm: claim.realm)
        }
    }
}
