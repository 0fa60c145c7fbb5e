import Glibc

/// Looks host names up by the system's resolver, which blocks: only for a thread of its own.
enum NameResolver {
    /// The hosts with one entry for each address of each name. Throws when no name has any.
    static func resolve(
        _ hosts: [ConnectParameters.Host], before lookUp: (@Sendable (String) -> Void)? = nil
    ) throws(PGError) -> [ConnectParameters.Host] {
        var resolved: [ConnectParameters.Host] = []
        var complaint = ""
        for host in hosts {
            guard host.needsResolution else {
                var host = host
                if host.address.isEmpty, let first = host.name.first, first != "/", first != "@" {
                    host.address = host.name
                }
                resolved.append(host)
                continue
            }
            lookUp?(host.name)
            var hints = addrinfo()
            hints.ai_family = AF_UNSPEC
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            let status = getaddrinfo(host.name, nil, &hints, &list)
            guard status == 0 else {
                complaint = "could not find the address of \(host.name): \(String(cString: gai_strerror(status)))"
                continue
            }
            defer { freeaddrinfo(list) }
            var entry = list
            while let info = entry?.pointee {
                if let address = Self.numeric(info) {
                    resolved.append(.init(name: host.name, address: address, port: host.port))
                }
                entry = info.ai_next
            }
        }
        guard !resolved.isEmpty else { throw PGError(.connection, message: complaint) }
        return resolved
    }

    private static func numeric(_ info: addrinfo) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { buffer in
            guard
                getnameinfo(
                    info.ai_addr, info.ai_addrlen, buffer.baseAddress, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
                    == 0,
                let text = buffer.baseAddress
            else { return nil }
            return String(cString: text)
        }
    }
}
