/// Takes the data of a COPY to the server, for as long as the closure that received it runs.
///
/// Writing waits while about a megabyte is under way, so the server's pace is the writer's. When the server refuses the data,
/// the next write throws its error.
public final class PGCopyWriter {
    private static let chunkSize = 65_536
    /// PostgreSQL manual, "COPY", "Binary Format": signature, no flags, no extension.
    private static let binaryHeader =
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)

    private let connection: PGConnection
    private let job: Job
    private let data: Outflow
    private let isBinary: Bool
    private var buffer: [UInt8] = []
    private var hasHeader = false
    private var hasPieces = false

    init(connection: PGConnection, job: Job, data: Outflow, isBinary: Bool) {
        self.connection = connection
        self.job = job
        self.data = data
        self.isBinary = isBinary
        self.buffer.reserveCapacity(Self.chunkSize + 1024)
    }

    /// Writes a piece of the data, in the format that the COPY names; pieces need not end where rows end.
    public func write(_ bytes: some Collection<UInt8>) async throws {
        if !bytes.isEmpty { self.hasPieces = true }
        var rest = bytes[...]
        repeat {
            let piece = rest.prefix(Self.chunkSize)
            self.buffer.append(contentsOf: piece)
            rest = rest.dropFirst(piece.count)
            try await self.passOnIfFull()
        } while !rest.isEmpty
    }

    /// Writes a row of a COPY `WITH (FORMAT binary)`, with the values in the order of its columns.
    ///
    /// Nothing is converted: each value's type must be its column's, `Int32` for an `integer`, `Int` for a `bigint`. Throws
    /// `PGError` with code `invalidState` in another format, and `invalidParameter` for a value that cannot be sent.
    public func write(row values: (any PGEncodable)?...) async throws {
        try await self.write(row: values.map { $0?.pgValue ?? .null(.unspecified) })
    }

    /// As `write(row:)`, for values whose number is not known before.
    public func write(row values: [PGValue]) async throws {
        guard self.isBinary else {
            throw PGError(.invalidState, message: "rows are written by a COPY in binary format only")
        }
        guard let count = Int16(exactly: values.count) else {
            throw PGError(.invalidParameter, message: "a row of \(values.count) columns")
        }
        for (index, value) in values.enumerated() {
            if let defect = value.defect ?? (value.isBinary ? nil : "a value has no binary form") {
                throw PGError(.invalidParameter, message: "column \(index + 1): \(defect)")
            }
        }
        self.appendHeader()
        self.append(count)
        for value in values { self.append(value) }
        try await self.passOnIfFull()
    }

    /// Gives what is still here to the loop. In binary format no row at all is a header and an end, too; pieces bring their own.
    func finish() async throws {
        if self.isBinary && !self.hasPieces { self.appendHeader() }
        if self.hasHeader { self.append(-1 as Int16) }
        try await self.passOn()
    }

    private func appendHeader() {
        if !self.hasHeader { self.buffer += Self.binaryHeader }
        self.hasHeader = true
    }

    private func append(_ value: PGValue) {
        guard !value.isNull else { return self.append(-1 as Int32) }
        withUnsafeTemporaryAllocation(byteCount: max(value.byteCount, 1), alignment: 1) { room in
            let count = value.write(to: room)
            self.append(Int32(clamping: count))
            self.buffer.append(contentsOf: room[..<count])
        }
    }

    private func append(_ integer: some FixedWidthInteger) {
        withUnsafeBytes(of: integer.bigEndian) { self.buffer.append(contentsOf: $0) }
    }

    private func passOnIfFull() async throws {
        if self.buffer.count >= Self.chunkSize { try await self.passOn() }
    }

    private func passOn() async throws {
        if !self.buffer.isEmpty {
            let chunk = self.buffer
            self.buffer = []
            self.buffer.reserveCapacity(Self.chunkSize + 1024)
            self.connection.pass(chunk, of: self.job, to: self.data)
        }
        try await self.connection.cancelling(self.job) { try await self.data.room() }
    }
}

@available(*, unavailable)
extension PGCopyWriter: Sendable {}

extension PGValue {
    /// Whether the bytes are what the binary protocol takes; text types are the same either way.
    fileprivate var isBinary: Bool {
        switch self.content {
        case .null, .word, .invalid: true
        case .string: self.type == .text || self.type == .varchar
        case .bytes: self.format == .binary
        }
    }
}
