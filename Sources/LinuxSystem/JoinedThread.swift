internal import LinuxLibC

/// A thread that ends before the value that stands for it: whoever drops the value waits for it.
///
/// It takes no signals, so that no handler of the program runs where the program does not expect it.
package struct JoinedThread: ~Copyable {
    private let thread: pthread_t

    /// Starts a thread that runs the closure.
    package init(_ body: @escaping @Sendable () -> Void) throws(Errno) { thread = try Start.thread(body) }

    /// Starts a thread that nobody waits for: it ends when the closure does.
    package static func detach(_ body: @escaping @Sendable () -> Void) throws(Errno) {
        pthread_detach(try Start.thread(body))
    }

    deinit { pthread_join(thread, nil) }

    /// Waits for the end of the thread.
    package consuming func join() {}
}

private final class Start: Sendable {
    private let body: @Sendable () -> Void

    private init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    /// Starts a thread that runs the closure.
    static func thread(_ body: @escaping @Sendable () -> Void) throws(Errno) -> pthread_t {
        let start = Unmanaged.passRetained(Start(body))
        var everySignal = sigset_t()
        var before = sigset_t()
        sigfillset(&everySignal)
        pthread_sigmask(SIG_SETMASK, &everySignal, &before)
        #if canImport(Musl)
            var created: pthread_t?
        #else
            var created = pthread_t()
        #endif
        let failure = pthread_create(&created, nil, main, start.toOpaque())
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard failure == 0, let thread = created as pthread_t? else {
            start.release()
            throw Errno(rawValue: failure)
        }
        return thread
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        guard let context else { return nil }
        Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body()
        return nil
    }
}
