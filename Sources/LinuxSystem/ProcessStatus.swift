/// What one line of `/proc/PID/stat` says of a process, all of it true at the same moment.
///
/// Source: `proc_pid_stat(5)`.
package struct ProcessStatus: Hashable, Sendable {
    /// What a process is, as far as it decides whether its files matter.
    package enum Kind: Sendable { case program, ended, kernelThread }

    /// What it is.
    package let kind: Kind
    /// Its parent's number.
    package let parent: Int32
    /// When it was started, in clock ticks since the machine was (field 22). Two processes of one number differ in it, for
    /// the numbers do not come round within a tick (10 ms).
    package let startTime: UInt64

    /// Nil where the process is gone or hidden.
    package init?(of process: Int32, in proc: borrowing ProcessDirectory) {
        guard let line = try? OpenFile.start(of: "\(process)/stat", in: proc.descriptor, limit: 512) else { return nil }
        self.init(line: line)
    }

    /// Nil for what is no such line.
    package init?(line: [UInt8]) {
        // The name may have any byte in it; after the last parenthesis: state, ppid, pgrp, session, tty_nr, tpgid, flags,
        // and twelve more before the start time.
        guard let nameEnd = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = line[(nameEnd + 1)...].split(separator: UInt8(ascii: " "), maxSplits: 20)
        guard fields.count > 19, let state = fields[0].first,
            let parent = Int32(String(decoding: fields[1], as: UTF8.self)),
            let flags = UInt32(String(decoding: fields[6], as: UTF8.self)),
            let startTime = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        let hasEnded = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") || flags & Self.exitingFlag != 0
        kind = flags & Self.kernelThreadFlag != 0 ? .kernelThread : hasEnded ? .ended : .program
        self.parent = parent
        self.startTime = startTime
    }

    /// `PF_EXITING` of `<linux/sched.h>`: the kernel has begun to close what the process holds.
    private static let exitingFlag: UInt32 = 0x4

    /// `PF_KTHREAD` of `<linux/sched.h>`
    private static let kernelThreadFlag: UInt32 = 0x0020_0000
}
