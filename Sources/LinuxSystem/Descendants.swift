internal import CMnl
internal import LinuxLibC
package import SocketValues

/// The processes that descend from this one, those too whose own parents have ended.
package enum Descendants {
    /// Makes this process the parent of every descendant whose own parent ends; it then has to wait for them.
    package static func adoptOrphans() throws(Errno) {
        guard cmnl_adopt_orphans() == 0 else { throw .last }
    }

    /// The descendants now, parents first. One that is born or dies meanwhile may be missing.
    ///
    /// - Throws: where the kernel does not list children (`CONFIG_PROC_CHILDREN`), or there is no `/proc`.
    package static func current() throws(KernelError) -> [Int32] {
        let proc = try ProcessDirectory()
        var found = children(of: getpid(), in: proc)
        guard faccessat(proc.descriptor, "thread-self/children", F_OK, 0) == 0 else {
            let failure = Errno.last
            throw KernelError(
                failure.isRefusal ? .permissionDenied : .unsupported,
                errno: failure.rawValue,
                operation: "list child processes",
                remedy: "it takes a kernel with CONFIG_PROC_CHILDREN"
            )
        }
        var next = 0
        while next < found.count {
            found += children(of: found[next], in: proc)
            next += 1
        }
        return found
    }

    /// A child belongs to the thread that started it.
    private static func children(of process: Int32, in proc: borrowing ProcessDirectory) -> [Int32] {
        var all: [Int32] = []
        guard let threads = try? Directory("\(process)/task", in: proc.descriptor) else { return all }
        threads.forEachNumber { thread in
            let list = try? OpenFile.whole("\(thread)/children", in: threads.descriptor)
            for number in (list ?? []).split(separator: UInt8(ascii: " ")) {
                if let child = Int32(String(decoding: number, as: UTF8.self)) { all.append(child) }
            }
        }
        return all
    }
}
