import NIOCore
import NIOPosix

/// A unix stream socket of a program that takes one command a connection.
struct UnixSocket: Sendable {
    /// Nobody took the command: the connection was closed, or never made, before anything came back.
    struct Untaken: Error {
        let cause: (any Error)?
    }

    /// The connection was closed in the middle of the answer.
    struct CutShort: Error {}

    struct AnswerTooLong: Error {}

    let path: String

    /// Sends the command on a connection of its own and reads until `isComplete` says so or, where it is nil, to the
    /// end.
    ///
    /// Throws `Untaken`, `CutShort`, `AnswerTooLong`, or the error of the connection. Blocks no thread; when the task
    /// is cancelled the connection is closed.
    func exchange(
        _ command: String, maximumBytes: Int, until isComplete: (@Sendable (ByteBuffer) -> Bool)? = nil
    ) async throws -> ByteBuffer {
        let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: self.path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
        } catch let error as IOError where error.errnoCode == EAGAIN {
            // As many connections wait to be accepted as the program lets.
            throw Untaken(cause: error)
        }
        return try await channel.executeThenClose { inbound, outbound in
            var answer = ByteBuffer()
            do {
                try await outbound.write(ByteBuffer(string: command))
                for try await var part in inbound {
                    answer.writeBuffer(&part)
                    if answer.readableBytes > maximumBytes { throw AnswerTooLong() }
                    if isComplete?(answer) == true { return answer }
                }
            } catch {
                if answer.readableBytes > 0 || error is CancellationError { throw error }
                // However the end of the connection shows itself.
                throw Untaken(cause: error)
            }
            try Task.checkCancellation()
            if answer.readableBytes == 0 { throw Untaken(cause: nil) }
            if isComplete != nil { throw CutShort() }
            return answer
        }
    }

    /// The same, again and again with pauses until somebody takes the command; ends by cancellation.
    func exchangeWhenTaken(
        _ command: String, maximumBytes: Int, until isComplete: (@Sendable (ByteBuffer) -> Bool)? = nil
    ) async throws -> ByteBuffer {
        while true {
            do {
                return try await self.exchange(command, maximumBytes: maximumBytes, until: isComplete)
            } catch is Untaken {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}
