// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "FlexiServer",
    platforms: [.macOS(.v15)],
    targets: [
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),

        .target(name: "OpenSSLCrypto", dependencies: ["COpenSSL"]),
        .target(name: "DigestAuth", dependencies: ["OpenSSLCrypto"]),
        .target(name: "QRCode", dependencies: ["CPNG", "CQREncode"]),
        .testTarget(name: "OpenSSLCryptoTests", dependencies: ["OpenSSLCrypto"]),
        .testTarget(name: "DigestAuthTests", dependencies: ["DigestAuth", "OpenSSLCrypto"]),
        .testTarget(name: "QRCodeTests", dependencies: ["QRCode"]),
    ]
)

for target in package.targets where target.type != .system {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .treatAllWarnings(as: .error),
        ]
}
