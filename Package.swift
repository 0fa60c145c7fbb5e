// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "FlexiServer",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "PGClient", targets: ["PGClient"]),
        .library(name: "PGTesting", targets: ["PGTesting"]),
        .executable(name: "migrate", targets: ["migrate"]),
        .executable(name: "FlexiServer", targets: ["FlexiServer"]),
    ],
    // No lock file is committed, so every version is exact.
    dependencies: [
        // The HTTP server.
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        // ByteBuffer, which response bodies are written into; the version Hummingbird is built with.
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        // Their parts on the way through a connection; the version Hummingbird is built with.
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        // Request and response heads, the currency of Hummingbird's API.
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        // Structured logs.
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        // Histograms of the database client.
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        // Start, signals and graceful stop of the long-lived parts.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        // Settings from the environment and env files, with secrets marked.
        .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0"),
        // Command lines of FlexiServer and migrate.
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        // Templates of mails, short messages and pages, which operators may replace.
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
        // Runs programs of others: an argument vector, no inherited descriptors, no blocked thread.
        .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2", traits: []),
        // FilePath, in which Subprocess names programs.
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        // Deque: the first-in, first-out queues of the pool.
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        // For tests: docs/openapi.yaml, whose fields and routes they go through.
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        // docs/openapi.yaml, embedded.
        .target(name: "CAPIDocument"),

        .target(
            name: "PGClient",
            dependencies: [
                "CLibPQ",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(name: "PGTesting", dependencies: ["PGClient", .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "Migrator",
            dependencies: [
                "OpenSSLCrypto", "PGClient",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ]
        ),
        .executableTarget(
            name: "migrate",
            dependencies: [
                "Migrator", "PGClient",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(name: "OpenSSLCrypto", dependencies: ["COpenSSL"]),
        .target(name: "DigestAuth", dependencies: ["OpenSSLCrypto"]),
        .target(name: "QRCode", dependencies: ["CPNG", "CQREncode"]),
        .executableTarget(
            name: "FlexiServer",
            dependencies: [
                "CAPIDocument", "CCurl", "DigestAuth", "OpenSSLCrypto", "PGClient", "QRCode",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(name: "OpenSSLCryptoTests", dependencies: ["OpenSSLCrypto"]),
        .testTarget(name: "DigestAuthTests", dependencies: ["DigestAuth", "OpenSSLCrypto"]),
        .testTarget(name: "QRCodeTests", dependencies: ["QRCode"]),
        .testTarget(
            name: "PGClientTests",
            dependencies: [
                "PGClient", "PGTesting",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]
        ),
        .testTarget(
            name: "MigratorTests",
            dependencies: [
                "Migrator", "migrate", "PGClient", "PGTesting", "OpenSSLCrypto",
                .product(name: "Logging", package: "swift-log"),
            ],
            exclude: ["Corpus"]
        ),
        .testTarget(
            name: "FlexiServerTests",
            dependencies: [
                "DigestAuth", "FlexiServer", "Migrator", "OpenSSLCrypto", "PGClient", "PGTesting",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]
        ),
    ]
)

for target in package.targets where target.type != .system && target.name != "CAPIDocument" {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .treatAllWarnings(as: .error),
        ]
}
