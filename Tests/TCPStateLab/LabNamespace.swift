internal import CLab
internal import Dispatch
internal import Glibc
internal import Synchronization

/// A network namespace of its own, and the one thread that lives in it.
///
/// A socket belongs to the namespace of the thread that opens it, a child process to that of the thread that
/// starts it: both are done with ``run(_:)``. The namespace ends with the object and the last descriptor in it.
package final class LabNamespace: Sendable {
    private let thread: pthread_t
    private let worker: Worker
    /// The `ns/net` file of the namespace, for whoever wants to join it; valid as long as the object lives.
    package let path: String
    /// The inode of that file: the namespace's number.
    package let inode: UInt64

    /// A new namespace, with nothing in it but a loopback device that is down.
    ///
    /// - Throws: ``LabError/Kind/notPermitted`` where the process lacks CAP_SYS_ADMIN.
    package init() throws(LabError) {
        let worker = Worker()
        var thread = pthread_t()
        let failure = pthread_create(&thread, nil, Worker.main, Unmanaged.passRetained(worker).toOpaque())
        guard failure == 0 else {
            Unmanaged.passUnretained(worker).release()
            throw LabError(.systemCall(failure), "pthread_create: \(text(ofErrno: failure))")
        }
        self.thread = thread
        self.worker = worker
        do {
            (path, inode) = try worker.run(Self.enter)
        } catch {
            worker.stop()
            pthread_join(thread, nil)
            throw error
        }
    }

    deinit {
        worker.stop()
        pthread_join(thread, nil)
    }

    /// Runs the closure on the namespace's thread and waits for it; calls from several threads take turns.
    package func run<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        if pthread_equal(thread, pthread_self()) != 0 { return try body() }
        return try worker.run(body)
    }

    /// Moves the calling thread into a new namespace and answers that namespace's file and number.
    private static func enter() throws(LabError) -> (path: String, inode: UInt64) {
        guard unshare(CLONE_NEWNET) == 0 else {
            guard errno == EPERM else {
                throw LabError(.systemCall(errno), "unshare(CLONE_NEWNET): \(text(ofErrno: errno))")
            }
            throw LabError(
                .notPermitted,
                "a network namespace needs CAP_SYS_ADMIN: run the tests as root, or with `unshare -Ur swift test`"
            )
        }
        var link = [UInt8](repeating: 0, count: 64)
        let length = try systemCall("readlink /proc/thread-self") { readlink("/proc/thread-self", &link, link.count) }
        let path = "/proc/" + String(decoding: link.prefix(length), as: UTF8.self) + "/ns/net"
        var status = stat()
        try systemCall("stat \(path)") { stat(path, &status) }
        return (path, UInt64(status.st_ino))
    }
}

/// One job at a time, handed to a thread and awaited.
private final class Worker: Sendable {
    private typealias Job = @Sendable () -> Void

    private let turn = Mutex(())
    private let job = Mutex<Job?>(nil)
    private let given = DispatchSemaphore(value: 0)
    private let done = DispatchSemaphore(value: 0)

    /// The thread's start: it owns one reference, and takes jobs until there is none.
    static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        guard let context else { return nil }
        let worker = Unmanaged<Worker>.fromOpaque(context).takeRetainedValue()
        while worker.takeJob() { worker.done.signal() }
        return nil
    }

    /// Does the next job and lets go of it; false at the end.
    private func takeJob() -> Bool {
        given.wait()
        guard let next = job.withLock({ $0.take() }) else { return false }
        next()
        return true
    }

    func run<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        let result = withUnsafeTemporaryAllocation(of: Result<Value, Failure>.self, capacity: 1) { place in
            withoutActuallyEscaping(body) { body in
                // Safe: the caller waits while the other thread runs it, so neither sees the other halfway.
                nonisolated(unsafe) let work = (body: body, place: place)
                perform { work.place.initializeElement(at: 0, to: Result(catching: work.body)) }
            }
            return place.moveElement(from: 0)
        }
        return try result.get()
    }

    private func perform(_ work: @escaping Job) {
        turn.withLock { _ in
            job.withLock { $0 = work }
            given.signal()
            done.wait()
        }
    }

    func stop() { given.signal() }
}
