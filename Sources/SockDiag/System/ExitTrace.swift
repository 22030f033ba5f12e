internal import CMnl
internal import Glibc

/// Holds a process just before it ends, while its descriptors are still open.
///
/// Its main thread is traced for that moment alone. All calls have to come from one thread of this process, which gets
/// what happens to the other one from `waitpid(2)`. Should this process end, the other goes on.
///
/// Source: `ptrace(2)`, `PTRACE_O_TRACEEXIT`.
package enum ExitTrace {
    /// Begins; it takes an ancestor of the process, or CAP_SYS_PTRACE.
    package static func begin(_ process: Int32) throws(Errno) {
        guard cmnl_trace_exit(process) == 0 else { throw .last }
    }

    /// Handles a stop of a traced process that `waitpid(2)` has told of: whether it is about to end, and now waits for
    /// ``end(_:)``.
    package static func isEnding(_ process: Int32, waitStatus: Int32) -> Bool {
        let signal = waitStatus >> 8 & 0xff
        switch waitStatus >> 16 {
        case exitEvent: return true
        case stopEvent:
            if [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU].contains(signal) {
                _ = cmnl_trace_listen(process)
            } else {
                _ = cmnl_trace_continue(process, 0)
            }
        default: _ = cmnl_trace_continue(process, signal)
        }
        return false
    }

    /// Lets the process go on without being traced.
    package static func end(_ process: Int32) { _ = cmnl_trace_end(process) }

    /// `PTRACE_EVENT_EXIT` and `PTRACE_EVENT_STOP` of `<linux/ptrace.h>`
    private static var exitEvent: Int32 { 6 }
    private static var stopEvent: Int32 { 128 }
}
