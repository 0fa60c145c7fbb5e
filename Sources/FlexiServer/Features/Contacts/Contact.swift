/// An account as those who have it in their contact list see it.
struct Contact: Sendable {
    let id: Account.ID
    let username: String
    let domain: DomainName
    let isActivated: Bool
    let displayName: String?
    let dtmfProtocol: DTMFProtocol?
    let types: [Account.TypeReference]
    /// Empty while no DTMF protocol is set, whatever is stored.
    let actions: [Account.Action]

    /// `user@domain`.
    var address: String { "\(self.username)@\(self.domain)" }
}

extension Contact: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", self.id.rawValue)
            json.member("username", self.username)
            json.member("domain", self.domain.value)
            json.member("activated", self.isActivated)
            json.member("display_name", self.displayName)
            json.member("dtmf_protocol", self.dtmfProtocol?.rawValue)
            json.member("types") { json in json.array(self.types) { json, type in type.write(to: &json) } }
            json.member("actions") { json in json.array(self.actions) { json, action in action.write(to: &json) } }
        }
    }
}
