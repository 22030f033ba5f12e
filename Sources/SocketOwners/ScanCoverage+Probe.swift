internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
package import SocketValues

extension ScanCoverage {
    /// What a pass over the processes would not be allowed to read. No descriptor is read for it, so it counts none and no
    /// process either; some 20 µs for each process. Within a PID namespace there is a pass: ``isConfined`` is set only where
    /// processes outside of it hold TCP sockets of this network namespace, as they hold none of a container's.
    ///
    /// - Throws: ``KernelError`` where there is no `/proc`.
    package static func probe() throws(KernelError) -> ScanCoverage {
        let proc = try ProcessDirectory()
        var coverage = ScanCoverage(hidesProcesses: proc.hidesProcesses)
        for pid in proc.processes where isRefused(pid, in: proc) && proc.kind(of: pid) == .program {
            coverage.add(proc.unreadable(pid))
        }
        if coverage.isComplete, proc.isConfined { coverage.isConfined = try !ownerless().isEmpty }
        return coverage
    }

    /// The inodes of sockets that no process holds that can be seen. One that is opened or closed meanwhile is none.
    private static func ownerless() throws(KernelError) -> Set<UInt32> {
        var ownerless = try heldSockets()
        for _ in 0..<2 where !ownerless.isEmpty {
            let owners = try OwnerSnapshot(of: ownerless)
            ownerless = try heldSockets().intersection(ownerless.filter { !owners.contains($0) })
        }
        return ownerless
    }

    private static func heldSockets() throws(KernelError) -> Set<UInt32> {
        var client = try SockDiagClient()
        var inodes: Set<UInt32> = []
        try client.forEach { if let inode = $0.inode { inodes.insert(inode) } }
        return inodes
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
