import FoundationEssentials

/// A random token in the one answer that shows it.
struct IssuedToken: Sendable {
    let id: Int64
    let token: Secret<String>
    let createdAt: Date
}

extension IssuedToken: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("token", self.token.reveal())
            json.member("updated_at", TimeText.rfc3339(self.createdAt))
            json.member("created_at", TimeText.rfc3339(self.createdAt))
            json.member("id", self.id)
        }
    }
}
