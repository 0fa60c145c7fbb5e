/// The data of a COPY from the server, in pieces of whole rows as the server sent them, for as long as the closure that received
/// them runs.
///
/// About a megabyte is read ahead; while nobody asks for more, the server waits. An error of the server ends it by throwing.
public struct PGCopyData: AsyncSequence {
    public typealias Element = [UInt8]

    let connection: PGConnection
    let job: Job
    let data: Inflow<[UInt8]>

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(copy: self)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let copy: PGCopyData
        private var batch: [[UInt8]] = []
        private var position = 0

        fileprivate init(copy: PGCopyData) {
            self.copy = copy
        }

        /// The next piece; nil after the last. Throws as `PGQuerying.query` does.
        public mutating func next() async throws -> [UInt8]? {
            if self.position == self.batch.count {
                self.batch = try await self.copy.connection.batch(of: self.copy.job, self.copy.data)
                self.position = 0
            }
            guard self.position < self.batch.count else { return nil }
            defer { self.position += 1 }
            return self.batch[self.position]
        }
    }
}

@available(*, unavailable)
extension PGCopyData: Sendable {}
