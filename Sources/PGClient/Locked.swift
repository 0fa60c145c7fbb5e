import Glibc

/// A value behind a mutex of pthread.
///
/// `Synchronization.Mutex` would do, but ThreadSanitizer does not see the futex inside it on Linux and reports
/// races that are not there.
final class Locked<Value>: @unchecked Sendable {  // `value` is touched only while `mutex` is held
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    // Unchecked: the mutex excludes what Swift would look for at run time.
    @exclusivity(unchecked) private var value: Value

    init(_ value: Value) {
        self.mutex = .allocate(capacity: 1)
        self.mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(self.mutex, nil)
        self.value = value
    }

    deinit {
        pthread_mutex_destroy(self.mutex)
        self.mutex.deallocate()
    }

    @inline(__always)
    func withLock<R, Failure: Error>(_ body: (inout Value) throws(Failure) -> R) throws(Failure) -> R {
        pthread_mutex_lock(self.mutex)
        defer { pthread_mutex_unlock(self.mutex) }
        return try body(&self.value)
    }
}
