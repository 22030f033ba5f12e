internal import LinuxLibC

/// A value behind a lock of POSIX threads. Not `Mutex`, which the kernel hands from thread to thread where it is contended:
/// the thread sanitizer does not see that, and would fail the tests of whoever uses it.
final class Locked<Value>: Sendable {
    // Safe: the value is read and written between lock and unlock alone, and neither it nor the lock is handed out.
    private nonisolated(unsafe) let value: UnsafeMutablePointer<Value>
    private nonisolated(unsafe) let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init(_ value: sending Value) {
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
        pthread_mutex_init(lock, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        lock.deallocate()
        value.deinitialize(count: 1)
        value.deallocate()
    }

    func withLock<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value.pointee)
    }
}
