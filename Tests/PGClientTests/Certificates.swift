import Foundation
import PGTesting

/// A certification authority of a test's own, and certificates by it, in a folder that goes with it.
final class Certificates: Sendable {
    let directory: String

    init() async throws {
        self.directory = NSTemporaryDirectory() + "certificates-" + String(UInt32.random(in: 0 ... .max), radix: 36)
        try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
        try await self.make("ca", subject: "an authority", by: nil)
        try await self.make("other", subject: "another authority", by: nil)
        try await self.make("server", subject: "localhost", by: "ca")
        try await self.make("client", subject: "postgres", by: "ca")
        try await self.make("stranger", subject: "stranger", by: "ca")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.directory)
    }

    func path(_ file: String) -> String { self.directory + "/" + file }

    func text(_ file: String) throws -> String { try String(contentsOfFile: self.path(file), encoding: .ascii) }

    private func make(_ name: String, subject: String, by issuer: String?) async throws {
        var words = [
            "openssl", "req", "-x509", "-new", "-nodes", "-days", "2", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-subj", "/CN=\(subject)", "-keyout", self.path(name + ".key"), "-out",
            self.path(name + ".crt"),
        ]
        if let issuer {
            words += [
                "-CA", self.path(issuer + ".crt"), "-CAkey", self.path(issuer + ".key"), "-addext",
                "subjectAltName=DNS:\(subject)", "-addext", "basicConstraints=critical,CA:FALSE",
            ]
        }
        try await Program.run(words)
    }
}
