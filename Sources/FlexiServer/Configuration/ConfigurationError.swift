/// Why the server does not start with these settings; one line, without the value of a secret.
struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
