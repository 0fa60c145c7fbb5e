/// For PGTesting, which makes databases beside the one that the connection string names.
extension PGConfiguration {
    /// The hosts that would be tried, by name and by address. Empty for the default socket.
    package func hosts() throws(PGError) -> [String] {
        try ConnectParameters(self).hosts.flatMap { [$0.name, $0.address] }.filter { !$0.isEmpty }
    }

    /// The first host and the port, as libpq would take them.
    package func firstHost() throws(PGError) -> (name: String, port: String) {
        let host = try ConnectParameters(self).hosts.first
        return (host?.name ?? "", host.map(\.port) ?? "")
    }

    /// The connection string with other values for some keywords, password included.
    package func conninfo(replacing replacements: [String: String]) throws(PGError) -> String {
        let values = try ConnectParameters(self).given.merging(replacements) { $1 }
        return values.sorted { $0.key < $1.key }.map { keyword, value in
            keyword + "='" + String(value.flatMap { $0 == "\\" || $0 == "'" ? ["\\", $0] : [$0] }) + "'"
        }.joined(separator: " ")
    }
}
