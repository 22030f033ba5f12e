internal import LinuxLibC
internal import LinuxSystem
package import SocketValues

extension ScanCoverage {
    /// What a pass over the processes would not be allowed to read; no descriptor is read for it, so it counts none and no
    /// process either. Some 20 µs for each process.
    ///
    /// - Throws: ``KernelError`` where there is no `/proc`.
    package static func probe() throws(KernelError) -> ScanCoverage {
        let proc = try ProcessDirectory()
        var coverage = ScanCoverage(hidesProcesses: proc.hidesProcesses)
        for pid in proc.processes where isRefused(pid, in: proc) && proc.kind(of: pid) == .program {
            coverage.unreadable += 1
        }
        return coverage
    }

    /// Whether a table of descriptors may not be listed (its owner alone may, or CAP_DAC_READ_SEARCH), or its links not
    /// be read (CAP_SYS_PTRACE), as those of the process' namespaces.
    private static func isRefused(_ pid: Int32, in proc: borrowing ProcessDirectory) -> Bool {
        do throws(Errno) {
            _ = try Directory("\(pid)/fd", in: proc.descriptor)
        } catch {
            return error.isRefusal
        }
        var link: CChar = 0
        return readlinkat(proc.descriptor, "\(pid)/ns/net", &link, 1) < 0 && Errno.last.isRefusal
    }
}
