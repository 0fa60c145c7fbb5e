extension PGCell {
    /// The bytes of a bytea, also from its text form `\x6869`.
    func byteString() throws(PGDecodingError) -> [UInt8] {
        guard let bytes = self.bytes else { throw PGDecodingError("the value is NULL") }
        guard self.type == .bytea else { throw self.mismatch([UInt8].self) }
        guard self.format == .text else { return [UInt8](bytes) }
        guard bytes.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "x")]), bytes.count.isMultiple(of: 2) else {
            throw PGDecodingError("a bytea in the escape format is not read; set bytea_output to hex")
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count / 2 - 1)
        for index in stride(from: 2, to: bytes.count, by: 2) {
            guard let high = Character(Unicode.Scalar(bytes[index])).hexDigitValue,
                let low = Character(Unicode.Scalar(bytes[index + 1])).hexDigitValue
            else { throw PGDecodingError("the text is no bytea") }
            result.append(UInt8(high << 4 | low))
        }
        return result
    }
}
