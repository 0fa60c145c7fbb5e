import CCurl
import Foundation
import Synchronization

/// Runs libcurl transfers, any number at a time, on one thread of its own: no thread of others waits for a network. Connections are kept
/// for the next transfer to the same place.
final class CurlLoop: Sendable {
    private let core: Core

    init() {
        Self.initialiseLibrary
        self.core = Core()
        let core = self.core
        Thread.detachNewThread { core.run() }
    }

    deinit {
        self.core.stop()
    }

    /// Makes the transfer. When the task is cancelled it is broken off, with `CURLE_ABORTED_BY_CALLBACK`.
    func perform(_ request: CurlRequest) async -> CurlResponse {
        let id = self.core.newID()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.core.submit(.init(id: id, request: request, continuation: continuation))
                // Whoever was cancelled before could not be found by the handler.
                if Task.isCancelled { self.core.cancel(id) }
            }
        } onCancel: {
            self.core.cancel(id)
        }
    }

    private static let initialiseLibrary: Void = {
        let result = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        precondition(result == CURLE_OK, "libcurl cannot be used")
    }()
}

private final class Core: Sendable {
    struct Submission: Sendable {
        let id: UInt64
        let request: CurlRequest
        let continuation: CheckedContinuation<CurlResponse, Never>
    }

    private struct Work {
        var submitted: [Submission] = []
        var cancelled: Set<UInt64> = []
        var isStopped = false
    }

    private let work = Mutex(Work())
    private let ids = Atomic<UInt64>(0)
    // A multi handle is used by the thread of run() alone, but for curl_multi_wakeup, which libcurl allows from any thread; it is freed
    // with this object, after the thread has ended and every waker has let go of it.
    nonisolated(unsafe) private let multi: UnsafeMutableRawPointer

    init() {
        guard let multi = curl_multi_init() else { fatalError("libcurl: out of memory") }
        self.multi = multi
        // A connection kept for longer may have been closed by the other side meanwhile, which would fail a mail.
        flexi_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 16)
    }

    deinit {
        curl_multi_cleanup(self.multi)
    }

    func newID() -> UInt64 {
        self.ids.wrappingAdd(1, ordering: .relaxed).newValue
    }

    func submit(_ submission: Submission) {
        self.work.withLock { $0.submitted.append(submission) }
        curl_multi_wakeup(self.multi)
    }

    func cancel(_ id: UInt64) {
        self.work.withLock { _ = $0.cancelled.insert(id) }
        curl_multi_wakeup(self.multi)
    }

    func stop() {
        self.work.withLock { $0.isStopped = true }
        curl_multi_wakeup(self.multi)
    }

    /// Until it is stopped. Nobody waits then: a waiting caller keeps the loop.
    func run() {
        var running: [UInt64: (transfer: CurlTransfer, continuation: CheckedContinuation<CurlResponse, Never>)] = [:]
        while true {
            let work = self.work.withLock { work in
                defer { work = Work(isStopped: work.isStopped) }
                return work
            }
            for submission in work.submitted {
                guard let transfer = CurlTransfer(submission.request) else {
                    submission.continuation.resume(returning: .refused)
                    continue
                }
                running[submission.id] = (transfer, submission.continuation)
                curl_multi_add_handle(self.multi, transfer.curl)
            }
            for id in work.cancelled {
                guard let (transfer, continuation) = running.removeValue(forKey: id) else { continue }
                curl_multi_remove_handle(self.multi, transfer.curl)
                continuation.resume(returning: transfer.response(CURLE_ABORTED_BY_CALLBACK))
            }
            if work.isStopped { return }
            var count: Int32 = 0
            curl_multi_perform(self.multi, &count)
            while let message = curl_multi_info_read(self.multi, &count) {
                guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
                let result = message.pointee.data.result
                guard let (id, (transfer, continuation)) = running.first(where: { $0.value.transfer.curl == handle })
                else { continue }
                running[id] = nil
                curl_multi_remove_handle(self.multi, handle)
                continuation.resume(returning: transfer.response(result))
            }
            curl_multi_poll(self.multi, nil, 0, 60_000, nil)
        }
    }
}

extension CurlResponse {
    /// libcurl did not take the request.
    fileprivate static let refused = CurlResponse(
        result: CURLE_FAILED_INIT, failure: "libcurl does not take the request", status: 0, body: [], command: "",
        reply: "")
}
