internal import LinuxLibC
package import LinuxSystem
internal import SockDiag

/// A process, and no other that has its number later.
public struct ProcessIdentity: Hashable, Sendable {
    /// Its number, in the PID namespace of `/proc`.
    public let pid: Int32
    /// When it was started, in clock ticks since the machine was (field 22 of `proc_pid_stat(5)`).
    public let startTime: UInt64

    /// A process that is known by both.
    public init(pid: Int32, startTime: UInt64) { (self.pid, self.startTime) = (pid, startTime) }

    /// The process that has the number now; nil where there is none.
    package init?(of pid: Int32, in proc: borrowing ProcessDirectory) {
        guard let status = ProcessStatus(of: pid, in: proc) else { return nil }
        self.init(pid: pid, startTime: status.startTime)
    }

    /// Whether it is there, and has not begun to end.
    package func isRunning(in proc: borrowing ProcessDirectory) -> Bool {
        guard let status = ProcessStatus(of: pid, in: proc) else { return false }
        return status.startTime == startTime && status.kind == .program
    }

    /// The descendants of this process, as ``/SockDiag/Descendants/current()`` has them.
    ///
    /// A number may go to a stranger between the list of children and the reading of `stat`; the parent in the same line
    /// shows that.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    package static func descendants() throws(KernelError) -> Set<ProcessIdentity> {
        let pids = try Descendants.current()
        guard !pids.isEmpty else { return [] }
        let proc = try ProcessDirectory()
        let parents = Set(pids + [getpid()])
        var found: Set<ProcessIdentity> = []
        for pid in pids {
            guard let status = ProcessStatus(of: pid, in: proc), parents.contains(status.parent) else { continue }
            found.insert(ProcessIdentity(pid: pid, startTime: status.startTime))
        }
        return found
    }
}
