/// What an account of a domain can be, such as an intercom or a camera. Clients know the keys.
struct AccountType: Sendable {
    struct ID: Hashable, Sendable, RawRepresentable {
        let rawValue: Int64
    }

    let id: ID
    let key: String
    let domain: DomainName
}

extension AccountType: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", self.id.rawValue)
            json.member("key", self.key)
            json.member("domain", self.domain.value)
        }
    }
}
