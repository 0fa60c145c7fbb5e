import HTTPTypes
import Hummingbird
import Logging
import OpenSSLCrypto
import PGClient

/// The pages that the links in mails lead to. Opening one changes nothing, since programs that scan mail open links too; its button does.
///
/// | Method | Path         | Access |
/// |--------|--------------|--------|
/// | GET    | email/{code} | public |
/// | POST   | email/{code} | public |
struct ConfirmationRoutes: Sendable {
    let services: Services

    func add(to groups: RouteGroups) {
        groups.root.get("email/{code}") { request, context in
            try await self.answer(request, context) { code, _ in try await self.ask(code) }
        }
        groups.root.post("email/{code}") { request, context in
            try await self.answer(request, context) { code, language in
                try await self.confirm(code, in: language, context)
            }
        }
    }

    private func find(_ code: Secret<String>) async throws -> ConfirmationRepository.Pending? {
        try await ConfirmationRepository(self.services.database).find(
            SHA256.hash(code.reveal()), in: self.services.configuration.servedDomains, at: self.services.now())
    }

    private func ask(_ code: Secret<String>) async throws -> (PageName, SIPAddress)? {
        try await self.find(code).map { pending in
            (pending.matter == .newAddress ? .askConfirmation : .askActivation, pending.address)
        }
    }

    /// Of two who press the button of one page at a time the second is told that the link does not work.
    private func confirm(
        _ code: Secret<String>, in language: Language?, _ context: PublicContext
    ) async throws -> (PageName, SIPAddress)? {
        guard let pending = try await self.find(code) else { return nil }
        let account: Logger.Metadata = ["confirmed.id": "\(pending.id.rawValue)"]
        do {
            switch pending.matter {
            case .newAddress:
                _ = try await EmailChange(services: self.services).confirm(
                    code, of: pending.id, domain: pending.address.domain, in: language)
                context.logger.info("email changed", metadata: account)
                return (.addressConfirmed, pending.address)
            case .account:
                _ = try await Activation(services: self.services).activate(
                    pending.address, by: .key(code), in: language)
                context.logger.info("account activated", metadata: account)
                return (.accountActivated, pending.address)
            }
        } catch is ProfileChangeRefusal {
            return nil
        } catch is Activation.Refusal {
            return nil
        }
    }

    /// A page also where there is nothing to confirm, or the database is away: whoever follows a link reads no JSON.
    private func answer(
        _ request: Request, _ context: PublicContext,
        _ body: (Secret<String>, Language?) async throws -> (PageName, SIPAddress)?
    ) async throws -> Response {
        let asked = Outbox(self.services).language(of: request)
        let language = asked ?? self.services.configuration.defaultLanguage
        do {
            let (page, address) = try await self.services.limiter.guess(
                .codes, by: .network(context.client.network), at: self.services.now(), isWrong: { $0 is UnknownCode }
            ) {
                guard let code = try? context.segment("code"), Self.isCode(code),
                    let answer = try await body(Secret(code), asked)
                else { throw UnknownCode() }
                return answer
            }
            return self.page(page, in: language, ["address": address.description])
        } catch is UnknownCode {
            return self.page(.unknownCode, in: language, status: .notFound)
        } catch let error as PGError where error.isOutage {
            context.logger.error("database not available", metadata: ["error": "\(String(reflecting: error))"])
            return self.page(.unavailable, in: language, status: .serviceUnavailable)
        }
    }

    private struct UnknownCode: Error {}

    private func page(
        _ name: PageName, in language: Language, _ values: [String: String] = [:], status: HTTPResponse.Status = .ok
    ) -> Response {
        .page(self.services.configuration.templates.page(name, in: language, values), in: language, status: status)
    }

    private static func isCode(_ text: String) -> Bool {
        (13...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: false
                }
            }
    }
}
