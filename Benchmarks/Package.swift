// swift-tools-version:6.2
import PackageDescription

// The programs that `make bench` and `make soak` run. A package of its own, so that nobody who uses PGClient builds them.
let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "FlexiServer", path: ".."),
        // The server that FlexiServer stands on, with nothing around it.
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        // Command lines of the programs.
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        // PGClient takes a logger.
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "BarePong",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .executableTarget(
            name: "PGClientBench",
            dependencies: [
                .product(name: "PGClient", package: "FlexiServer"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .executableTarget(
            name: "PGClientSoak",
            dependencies: [
                .product(name: "PGClient", package: "FlexiServer"),
                .product(name: "PGTesting", package: "FlexiServer"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
    ]
)

for target in package.targets {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .treatAllWarnings(as: .error),
        ]
}
