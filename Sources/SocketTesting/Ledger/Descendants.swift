internal import Glibc
internal import SockDiag

/// The processes that this one has started, and those that they have: as far as each is still the child of the one before.
enum Descendants {
    /// Their numbers; O(1) where there are none.
    static var pids: Set<Int32> {
        // Asks without reaping anybody, and fails where nobody could be reaped.
        var information = siginfo_t()
        guard waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0 else { return [] }
        var found: Set<Int32> = []
        var open = [getpid()]
        while let parent = open.popLast() {
            for child in children(of: parent) where found.insert(child).inserted { open.append(child) }
        }
        return found
    }

    /// `/proc/PID/task/TID/children` (CONFIG_PROC_CHILDREN), of each thread its own.
    private static func children(of pid: Int32) -> [Int32] {
        var children: [Int32] = []
        guard let threads = try? Directory("/proc/\(pid)/task") else { return [] }
        threads.forEachNumber { thread in
            guard let text = try? OpenFile.start(of: "\(thread)/children", in: threads.descriptor, limit: 65_536) else {
                return
            }
            children += text.split(separator: UInt8(ascii: " ")).compactMap {
                Int32(String(decoding: $0, as: UTF8.self))
            }
        }
        return children
    }
}
