internal import CMnl
internal import LinuxLibC
package import SocketValues

/// `/proc` as the directory of the processes that can be seen from here: those of the PID namespace it was mounted in,
/// less those that its option `hidepid` hides.
package struct ProcessDirectory: ~Copyable {
    private let directory: Directory

    /// For calls that take a path relative to it, as `1/fd`.
    package var descriptor: Int32 { directory.descriptor }

    /// Opens `/proc`.
    package init(_ path: String = "/proc") throws(KernelError) {
        do throws(Errno) {
            let directory = try Directory(path)
            // Where nothing is mounted there may be an empty directory.
            guard faccessat(directory.descriptor, "self", F_OK, AT_SYMLINK_NOFOLLOW) == 0 else { throw .last }
            self.directory = directory
        } catch {
            throw KernelError(
                error.isRefusal ? .permissionDenied : .system,
                errno: error.rawValue,
                operation: "list the processes in \(path)",
                remedy: "mount it: mount -t proc proc \(path)"
            )
        }
    }

    /// The processes, by rising number.
    package var processes: [Int32] {
        var all: [Int32] = []
        directory.forEachNumber { all.append($0) }
        return all
    }

    /// Whether processes of other users are hidden (`hidepid=2` of `proc(5)`): process 1 is always there.
    package var hidesProcesses: Bool { faccessat(descriptor, "1", F_OK, 0) != 0 && errno == ENOENT }

    /// The name of a process; nil where it is gone.
    package func name(of process: Int32) -> ProcessName? {
        ProcessName(commOf: "\(process)", in: descriptor)
    }

    /// Whether a process runs and its files may not be read; one that ends may not either, for a moment.
    package func isClosed(_ process: Int32) -> Bool {
        do throws(Errno) {
            _ = try Directory("\(process)/fd", in: descriptor)
            return false
        } catch {
            return error.isRefusal && kind(of: process) == .program
        }
    }

    /// A process that may not be read, with what refuses it.
    package func unreadable(_ process: Int32) -> UnreadableProcess {
        UnreadableProcess(pid: process, name: name(of: process), reason: Self.refusal)
    }

    /// What refuses this process the files of another. The files themselves do not say: any of these is EACCES.
    ///
    /// Source: `ptrace_may_access()` of `kernel/ptrace.c`: with the capabilities in its user namespace every process may be
    /// read, as far as the kernel itself is concerned.
    private static var refusal: UnreadableProcess.Reason {
        guard Capabilities.effective?.isSuperset(of: [.ptrace, .readSearch]) == true else { return .missingCapability }
        return isInFirstUserNamespace ? .securityModule : .userNamespace
    }

    /// Whether this process is in the first user namespace, as far as that can be known.
    package static var isInFirstUserNamespace: Bool {
        var status = stat()
        return stat("/proc/thread-self/ns/user", &status) != 0 || status.st_ino == FirstNamespace.user
    }

    /// Whether there may be processes that it does not show, because it is of another PID namespace than the first.
    package var isConfined: Bool {
        // Where it shows this process, it is of this process' namespace or of one outside of that.
        if number("self/ns/pid") == FirstNamespace.pid { return false }
        return number("1/ns/pid") != FirstNamespace.pid
    }

    /// The PID namespace by whose numbers `/proc` has the processes, and without it that of this process, as the number of its
    /// file; nil for the first one, and 0 where it may not be known, which is no namespace's.
    package static var numbering: UInt32? {
        guard let proc = try? ProcessDirectory() else {
            let descriptor = cmnl_pid_namespace()
            guard descriptor >= 0 else { return 0 }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { return 0 }
            return status.st_ino == FirstNamespace.pid ? nil : UInt32(truncatingIfNeeded: status.st_ino)
        }
        guard proc.isConfined else { return nil }
        // One number alone: that of this process there, where it is in no namespace within that.
        let isOwn = ThreadStatus()?["NSpid"]?.contains("\t") == false
        return proc.number(isOwn ? "self/ns/pid" : "1/ns/pid").map { UInt32(truncatingIfNeeded: $0) } ?? 0
    }

    private func number(_ path: String) -> UInt64? {
        var status = stat()
        return fstatat(descriptor, path, &status, 0) == 0 ? UInt64(status.st_ino) : nil
    }

    /// What a process is; nil where it is gone or hidden.
    package func kind(of process: Int32) -> ProcessStatus.Kind? { ProcessStatus(of: process, in: self)?.kind }
}

/// The numbers of the namespaces that the kernel begins with.
///
/// C: `PROC_PID_INIT_INO` and `PROC_USER_INIT_INO` of `<linux/proc_ns.h>`.
package enum FirstNamespace {
    package static let pid: UInt64 = 0xefff_fffc
    package static let user: UInt64 = 0xefff_fffd
}

extension ProcessName {
    /// The name that `comm` in a directory of `/proc` has; nil where the process is gone.
    package init?(commOf process: String, in directory: Int32) {
        guard let line = try? OpenFile.start(of: "\(process)/comm", in: directory, limit: 64) else { return nil }
        self.init(bytes: line.dropLast())
    }
}
