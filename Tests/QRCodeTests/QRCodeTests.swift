import Foundation
import FoundationXML
import Testing

@testable import QRCode

@Suite("QR codes")
struct QRCodeTests {
    static let texts = [
        "https://sip.example.org/provisioning/Wd8fGh3kLmN0p",
        "1",
        "0123456789",
        "HTTPS://SIP.EXAMPLE.ORG/",
        "Grüße, 世界",
        String(repeating: "long/", count: 200),
    ]

    @Test(arguments: Self.texts)
    func aScannerReadsTheTextBack(text: String) async throws {
        let scanned = try await scan(try QRCode(text: text).png())
        #expect(scanned == text)
    }

    @Test(arguments: [
        String(repeating: "x", count: QRCode.maximumLength),
        String(repeating: "é", count: QRCode.maximumLength / 2),
    ])
    func theLongestTextIsReadBack(text: String) async throws {
        let scanned = try await scan(try QRCode(text: text).png(minimumSide: 740))
        #expect(scanned == text)
    }

    @Test func aLongerTextIsAnError() {
        #expect(throws: QRCodeError.tooLong) {
            try QRCode(text: String(repeating: "x", count: QRCode.maximumLength + 1))
        }
        #expect(throws: QRCodeError.tooLong) { try QRCode(text: String(repeating: "é", count: 636) + "x") }
    }

    @Test func anEmptyTextIsAnError() {
        #expect(throws: QRCodeError.empty) { try QRCode(text: "") }
    }

    @Test func theErrorCorrectionLevelIsH() throws {
        // The two format bits beside the top left finder: level H is 10, masked with 10 (ISO/IEC 18004, 7.9.1).
        let code = try QRCode(text: "https://sip.example.org/provisioning/Wd8fGh3kLmN0p")
        #expect([code.isDark(row: 8, column: 0), code.isDark(row: 8, column: 1)] == [false, false])
    }

    @Test(arguments: [1, 320, 321, 500])
    func theImageIsASquareOfWholeModules(minimumSide: Int) throws {
        let code = try QRCode(text: "https://sip.example.org/provisioning/Wd8fGh3kLmN0p")
        let png = code.png(minimumSide: minimumSide)
        let header = try #require(PNGHeader(png))
        let modules = code.width + 8
        #expect(header.width == header.height)
        #expect(header.width >= minimumSide && header.width < max(minimumSide + modules, modules + 1))
        #expect(header.width.isMultiple(of: modules))
        #expect(header.bitDepth == 8 && header.colorType == 0)
    }

    @Test func theDefaultImageIsAsLargeAsAppsExpect() throws {
        let header = try #require(PNGHeader(try QRCode(text: "x").png()))
        #expect(header.width >= 320)
    }

    @Test func theDrawingHoldsExactlyTheDarkModules() throws {
        let code = try QRCode(text: "https://sip.example.org/provisioning/Wd8fGh3kLmN0p")
        let svg = code.svg()
        let side = code.width + 8
        #expect(svg.contains("viewBox=\"0 0 \(side) \(side)\""))
        #expect(svg.contains("width=\"320\" height=\"320\""))
        #expect(svg.contains("<rect width=\"\(side)\" height=\"\(side)\" fill=\"#fff\"/>"))

        var drawn = [Bool](repeating: false, count: code.width * code.width)
        for run in svg.matches(of: /M(\d+) (\d+)h(\d+)v1h-(\d+)z/) {
            let (left, row) = (try #require(Int(run.1)) - 4, try #require(Int(run.2)) - 4)
            #expect(run.3 == run.4)
            for column in left..<left + (try #require(Int(run.3))) { drawn[row * code.width + column] = true }
        }
        #expect(drawn == code.modules)
    }

    @Test func theDrawingIsWellFormedXML() throws {
        #expect(XMLParser(data: Data(try QRCode(text: "x").svg().utf8)).parse())
    }

    /// Reads the code as a telephone's camera would; needs `zbarimg`.
    private func scan(_ png: [UInt8]) async throws -> String {
        let file = FileManager.default.temporaryDirectory.appending(path: "qrcode-\(UUID().uuidString).png")
        try Data(png).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let scanner = Process()
        let output = Pipe()
        scanner.executableURL = URL(filePath: "/usr/bin/env")
        scanner.arguments = [
            "zbarimg", "--quiet", "--nodbus", "--oneshot", "--raw", "-Sdisable", "-Sqrcode.enable", file.path,
        ]
        scanner.standardOutput = output
        // What a code holds fits into a pipe, so the scanner ends without being read.
        let status = try await withCheckedThrowingContinuation { continuation in
            scanner.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try scanner.run()
            } catch {
                continuation.resume(throwing: error)
            }
        }
        #expect(status == 0, "zbarimg (package zbar-tools) reads the image")
        return try #require(String(data: try output.fileHandleForReading.readToEnd() ?? Data(), encoding: .utf8))
    }
}
