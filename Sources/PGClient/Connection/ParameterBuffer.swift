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
        guard !parameters.isEmpty else { return body(0, nil, nil, nil, nil) }
        let byteCount = parameters.reduce(0) { $0 + $1.value.byteCount }
        return withUnsafeTemporaryAllocation(byteCount: max(byteCount, 1), alignment: 8) { bytes in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: parameters.count) { values in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: 3 * parameters.count) { numbers in
                    var offset = 0
                    for (index, parameter) in parameters.enumerated() {
                        let bind = parameter.value
                        let room = UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
                        let length = bind.write(to: room)
                        let start = room.baseAddress.map { UnsafePointer($0.assumingMemoryBound(to: CChar.self)) }
                        // An empty value at the end of the buffer still needs a place to point to: nil is NULL.
                        let place =
                            start ?? bytes.baseAddress.map { UnsafePointer($0.assumingMemoryBound(to: CChar.self)) }
                        values.initializeElement(at: index, to: bind.isNull ? nil : place)
                        numbers.initializeElement(at: index, to: Int32(bitPattern: bind.type.rawValue))
                        numbers.initializeElement(at: parameters.count + index, to: Int32(clamping: length))
                        numbers.initializeElement(at: 2 * parameters.count + index, to: bind.format.rawValue)
                        offset += bind.byteCount
                    }
                    guard let first = numbers.baseAddress else { return 0 }
                    return first.withMemoryRebound(to: Oid.self, capacity: parameters.count) { types in
                        body(
                            Int32(parameters.count), types, values.baseAddress, first + parameters.count,
                            first + 2 * parameters.count)
                    }
                }
            }
        }
    }
}
