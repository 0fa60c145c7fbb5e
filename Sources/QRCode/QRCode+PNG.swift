internal import CPNG

extension QRCode {
    /// A greyscale PNG image with the quiet zone around the code.
    ///
    /// A module is a whole number of pixels, so that no edge is blurred: the image is the smallest such square whose
    /// side is at least `minimumSide` pixels.
    public func png(minimumSide: Int = 320) -> [UInt8] {
        let modules = self.width + 2 * Self.quietZone
        let scale = max(1, (minimumSide + modules - 1) / modules)
        let side = modules * scale
        let pixels = self.pixels(scale: scale)

        // libpng's simplified interface reports errors by its result; the other one jumps over our frames.
        var image = png_image()
        image.version = png_uint_32(PNG_IMAGE_VERSION)
        image.width = png_uint_32(side)
        image.height = png_uint_32(side)
        image.format = png_uint_32(PNG_FORMAT_GRAY)
        // A filter byte for each row, and far more than headers and incompressible blocks add.
        let capacity = pixels.count + side + pixels.count / 100 + 4096
        return [UInt8](unsafeUninitializedCapacity: capacity) { buffer, initializedCount in
            var length = png_alloc_size_t(capacity)
            let done = png_image_write_to_memory(
                &image, buffer.baseAddress, &length, 0, pixels, png_int_32(side), nil)
            precondition(done == 1, "libpng: cannot write an image")
            initializedCount = Int(length)
        }
    }

    private func pixels(scale: Int) -> [UInt8] {
        let (dark, light): (UInt8, UInt8) = (0, 255)
        let side = (self.width + 2 * Self.quietZone) * scale
        var pixels = [UInt8](repeating: light, count: side * side)
        for row in 0..<self.width {
            for column in 0..<self.width where self.isDark(row: row, column: column) {
                let left = (column + Self.quietZone) * scale
                for y in (row + Self.quietZone) * scale..<(row + Self.quietZone + 1) * scale {
                    for x in left..<left + scale { pixels[y * side + x] = dark }
                }
            }
        }
        return pixels
    }
}
