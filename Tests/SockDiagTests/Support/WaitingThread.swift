import Glibc
import Synchronization

/// A thread that another one interrupts while it waits in the kernel.
struct WaitingThread: Sendable {
    private static let count = Atomic<Int>(0)
    private let thread = pthread_self()
    private let directory: String

    /// How many signals were handled.
    static var interruptions: Int { count.load(ordering: .sequentiallyConsistent) }

    /// Calls `body` with the calling thread, whose system calls `SIGUSR1` ends with `EINTR` until then.
    static func withCurrent<Result>(_ body: (WaitingThread) throws -> Result) rethrows -> Result {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in WaitingThread.count.add(1, ordering: .sequentiallyConsistent) }
        sigaction(SIGUSR1, &action, nil)  // without SA_RESTART
        var (mask, old) = (sigset_t(), sigset_t())
        sigemptyset(&mask)
        sigaddset(&mask, SIGUSR1)
        pthread_sigmask(SIG_UNBLOCK, &mask, &old)  // the threads of a pool block every signal
        defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
        return try body(WaitingThread())
    }

    private init() {
        var link = [CChar](repeating: 0, count: 64)
        readlink("/proc/thread-self", &link, link.count - 1)  // 4711/task/4712
        directory = "/proc/" + Self.text(link)
    }

    /// Waits until the thread sleeps, sends it a signal, and waits until that is handled; gives up after a long while.
    func interrupt() {
        var attempts = 10_000_000
        func wait(until condition: () -> Bool) {
            while !condition(), attempts > 0 {
                sched_yield()
                attempts -= 1
            }
        }
        wait { isAsleep }
        let before = Self.interruptions
        pthread_kill(thread, SIGUSR1)
        wait { Self.interruptions > before }
    }

    /// Whether the kernel says `S (sleeping)` of it.
    private var isAsleep: Bool {
        guard let file = fopen(directory + "/stat", "re") else { return true }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        guard fgets(&line, Int32(line.count), file) != nil else { return true }
        return Self.text(line).drop { $0 != ")" }.dropFirst(2).first == "S"
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
