internal import CMnl
internal import LinuxLibC

/// Follows a process and its descendants from program to program, and holds those that are asked for just before they
/// end, while their descriptors are still open.
///
/// All calls have to come from one thread of this process, which gets the stops of the others from `waitpid(2)`. Should
/// this process end, the others go on.
///
/// Source: `ptrace(2)`.
package enum ProcessTrace {
    /// What a stop of a traced thread is about.
    package enum Stop {
        /// The process has begun another program. It waits for ``stopBeforeEnd(_:)`` or ``resume(_:)``.
        case newProgram
        /// The process is about to end, with its descriptors open. It waits for ``end(_:)``.
        case ending
        /// Nothing that matters; the thread goes on.
        case other
    }

    /// Begins with a process that has one thread; it takes an ancestor of the process, or CAP_SYS_PTRACE.
    package static func begin(_ process: Int32) throws(Errno) {
        guard cmnl_trace_begin(process, option(1) | option(2) | option(3) | option(4)) == 0 else { throw .last }
    }

    /// Handles a stop that `waitpid(2)` has reported.
    package static func handle(stopOf thread: Int32, waitStatus: Int32) -> Stop {
        let signal = waitStatus >> 8 & 0xff
        // `PTRACE_EVENT_*` of `<linux/ptrace.h>`
        switch waitStatus >> 16 {
        case 4: return .newProgram
        case 6: return .ending
        case 128 where [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU].contains(signal): _ = cmnl_trace_listen(thread)
        case 0: _ = cmnl_trace_continue(thread, signal)
        default: _ = cmnl_trace_continue(thread, 0)
        }
        return .other
    }

    /// Lets a process go on that has begun another program, and follows that and what it starts too.
    package static func resume(_ process: Int32) { _ = cmnl_trace_continue(process, 0) }

    /// Lets a process go on that has begun another program, follows nothing that it starts, and stops it before it ends.
    package static func stopBeforeEnd(_ process: Int32) {
        _ = cmnl_trace_options(process, option(6))
        resume(process)
    }

    /// Lets a process go on without being traced.
    package static func end(_ process: Int32) { _ = cmnl_trace_end(process) }

    /// The option by which a thread stops for an event, 1 fork, 2 vfork, 3 clone, 4 exec, 6 exit.
    private static func option(_ event: UInt) -> UInt { 1 << event }
}
