/// The IHDR chunk of a PNG image.
struct PNGHeader {
    let width: Int
    let height: Int
    let bitDepth: UInt8
    let colorType: UInt8

    init?(_ png: [UInt8]) {
        let start: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13] + Array("IHDR".utf8)
        guard png.starts(with: start), png.count > 33 else { return nil }
        self.width = png[16..<20].reduce(0) { $0 << 8 | Int($1) }
        self.height = png[20..<24].reduce(0) { $0 << 8 | Int($1) }
        self.bitDepth = png[24]
        self.colorType = png[25]
    }
}
