import CLibPQ

/// Lays parameters out as libpq takes them, on the stack where they fit.
enum ParameterBuffer {
    static func with(
        _ parameters: [PGQuery.Parameter],
        _ body: (
            _ count: Int32, _ types: UnsafePointer<Oid>?, _ values: UnsafePointer<UnsafePointer<CChar>?>?,
            _ lengths: UnsafePointer<Int32>?, _ formats: UnsafePointer<Int32>?
        ) -> Int32
    ) -> Int32 {
        parameters.withUnsafeBufferPointer { parameters in
            let count = parameters.count
            guard count > 0 else { return body(0, nil, nil, nil, nil) }
            var byteCount = 0
            for index in 0..<count { byteCount += parameters[index].value.byteCount }
            return withUnsafeTemporaryAllocation(byteCount: max(byteCount, 1), alignment: 8) { bytes in
                withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 3 * count) { numbers in
                        // Each has room for one at least.
                        guard let start = bytes.baseAddress, let types = numbers.baseAddress else { return 0 }
                        let (lengths, formats) = (types + count, types + 2 * count)
                        var offset = 0
                        for index in 0..<count {
                            let room = UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
                            // An empty value has a place all the same: nil is NULL.
                            values[index] =
                                parameters[index].value.isNull
                                ? nil : UnsafePointer((start + offset).assumingMemoryBound(to: CChar.self))
                            types[index] = Int32(bitPattern: parameters[index].value.type.rawValue)
                            lengths[index] = Int32(clamping: parameters[index].value.write(to: room))
                            formats[index] = parameters[index].value.format.rawValue
                            offset += parameters[index].value.byteCount
                        }
                        return types.withMemoryRebound(to: Oid.self, capacity: count) {
                            body(Int32(count), $0, values.baseAddress, lengths, formats)
                        }
                    }
                }
            }
        }
    }
}
