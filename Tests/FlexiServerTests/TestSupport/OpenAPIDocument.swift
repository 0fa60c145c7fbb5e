import Foundation
import Testing
import Yams

/// docs/openapi.yaml, as far as tests need it.
struct OpenAPIDocument {
    /// A member of a request's body.
    struct Field {
        let name: String
        let isRequired: Bool
        /// The rules of its value, without references.
        let schema: [String: Any]
    }

    enum Access {
        case anybody
        case account
        case administrator
    }

    struct Operation {
        let method: String
        /// As the document has it.
        let path: String
        let access: Access
        let fields: [Field]
        let queryParameters: [String]

        /// The route with nothing between the braces: the document and the router call captured segments differently.
        var normalRoute: String { OpenAPIDocument.normal("\(self.method) \(self.path)") }
    }

    let operations: [Operation]

    init() throws {
        let text = try String(contentsOf: Migrations.root.appending(path: "docs/openapi.yaml"), encoding: .utf8)
        let root = try #require(try Yams.load(yaml: text) as? [String: Any])
        let paths = try #require(root["paths"] as? [String: [String: Any]])
        let resolver = Resolver(root: root)
        self.operations = try paths.flatMap { path, item in
            try item.compactMap { method, value -> Operation? in
                guard let operation = value as? [String: Any], method != "parameters" else { return nil }
                let parameters = (operation["parameters"] as? [[String: Any]] ?? []).map(resolver.resolved)
                return try Operation(
                    method: method.uppercased(), path: path, access: Self.access(to: operation),
                    fields: resolver.fields(ofBodyIn: operation),
                    queryParameters: parameters.filter { $0["in"] as? String == "query" }
                        .compactMap { $0["name"] as? String })
            }
        }.sorted { $0.normalRoute < $1.normalRoute }
    }

    /// Each alternative names the role that it takes, if it does not take everybody who proves an account.
    private static func access(to operation: [String: Any]) -> Access {
        let alternatives = operation["security"] as? [[String: [String]]] ?? []
        guard !alternatives.isEmpty else { return .anybody }
        return alternatives.allSatisfy { $0.values.contains(["administrator"]) } ? .administrator : .account
    }

    static func normal(_ route: String) -> String {
        route.replacing(/\{[^}]*\}/, with: "{}")
    }

    private struct Resolver {
        let root: [String: Any]

        func fields(ofBodyIn operation: [String: Any]) throws -> [Field] {
            guard let body = operation["requestBody"] as? [String: Any] else { return [] }
            let content = try #require(self.resolved(body)["content"] as? [String: [String: Any]])
            let schema = try #require(content["application/json"]?["schema"] as? [String: Any])
            let parts = self.parts(of: schema)
            let required = Set(parts.flatMap { $0["required"] as? [String] ?? [] })
            return parts.flatMap { $0["properties"] as? [String: [String: Any]] ?? [:] }.map { name, value in
                Field(name: name, isRequired: required.contains(name), schema: self.alternative(self.resolved(value)))
            }.sorted { $0.name < $1.name }
        }

        /// The schema, and all that it is put together from.
        private func parts(of schema: [String: Any]) -> [[String: Any]] {
            let schema = self.resolved(schema)
            return [schema] + (schema["allOf"] as? [[String: Any]] ?? []).flatMap(self.parts(of:))
        }

        func resolved(_ value: [String: Any]) -> [String: Any] {
            guard let reference = value["$ref"] as? String else { return value }
            let target = reference.dropFirst(2).split(separator: "/").reduce(self.root as Any) { node, name in
                (node as? [String: Any])?[String(name)] as Any
            }
            return self.resolved(target as? [String: Any] ?? [:])
        }

        /// The alternative that is not null.
        private func alternative(_ schema: [String: Any]) -> [String: Any] {
            guard let choices = schema["oneOf"] as? [[String: Any]] else { return schema }
            return choices.map(self.resolved).first { $0["type"] as? String != "null" } ?? schema
        }
    }
}
