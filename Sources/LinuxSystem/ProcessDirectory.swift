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

    /// What a process is; nil where it is gone or hidden.
    package func kind(of process: Int32) -> ProcessStatus.Kind? { ProcessStatus(of: process, in: self)?.kind }
}

extension ProcessName {
    /// The name that `comm` in a directory of `/proc` has; nil where the process is gone.
    package init?(commOf process: String, in directory: Int32) {
        guard let line = try? OpenFile.start(of: "\(process)/comm", in: directory, limit: 64) else { return nil }
        self.init(bytes: line.dropLast())
    }
}
