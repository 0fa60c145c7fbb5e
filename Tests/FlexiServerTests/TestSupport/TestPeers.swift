import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Waits for a condition that another thread or process makes true.
func wait(until condition: () -> Bool) async {
    while !condition(), !Task.isCancelled { await Task.yield() }
}

/// Texts that were written one after the other.
final class Written: Sendable {
    private let all = Mutex<[String]>([])

    var texts: [String] { self.all.withLock { $0 } }

    func append(_ text: String) {
        self.all.withLock { $0.append(text) }
    }
}

/// Takes connections and says nothing.
enum SilentServer {
    static func with(_ body: (_ port: Int) async throws -> Void) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(channel.localAddress?.port ?? 0)
        } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }
}

/// A certificate for localhost that nobody but itself has signed.
struct TestCertificate: Sendable {
    let path: String
    let keyPath: String

    var arguments: [String] { ["--certificate", self.path, "--key", self.keyPath] }
}

func withCertificate(_ body: (TestCertificate) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "certificate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let certificate = TestCertificate(
        path: folder.appending(path: "certificate.pem").path(), keyPath: folder.appending(path: "key.pem").path())
    _ = try await Program.output(
        "openssl",
        [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", certificate.keyPath,
            "-out", certificate.path,
        ])
    try await body(certificate)
}
