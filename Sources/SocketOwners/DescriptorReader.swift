internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag

/// Reads the descriptors of one process after the other: who holds which socket.
///
/// The link `/proc/PID/fd/N` of a socket reads `socket:[INODE]`. The sockets of all network namespaces draw their
/// inodes from one counter, so it does not matter which one a process is in.
struct DescriptorReader: ~Copyable {
    private let proc: ProcessDirectory
    private let wanted: OwnerTable?
    private(set) var coverage = ScanCoverage()
    private(set) var found: [(inode: UInt64, owner: SocketOwner)] = []

    /// A reader that finds the sockets whose inodes are keys of a table; without one, every socket.
    init(for wanted: OwnerTable?) throws(KernelError) {
        proc = try ProcessDirectory()
        self.wanted = wanted
    }

    /// Reads one process. One that dies meanwhile loses its own sockets, no other's.
    mutating func read(_ pid: Int32) {
        var count = 0
        var isRefused = false
        do { count = try readDescriptors(in: "\(pid)/fd", of: pid, processDirectory: "..") } catch {
            guard !error.isGone else { return }
            isRefused = true
        }
        if count == 0 {
            switch proc.kind(of: pid) {
            case .kernelThread: return
            case .ended: isRefused = readThreads(of: pid)
            case .program, nil: break
            }
        }
        if isRefused { coverage.add(proc.unreadable(pid)) } else { coverage.processes += 1 }
    }

    /// The main thread may end before the others, and they hold the descriptors on. Whether they may not be read.
    private mutating func readThreads(of pid: Int32) -> Bool {
        var ids: [Int32] = []
        if let threads = try? Directory("\(pid)/task", in: proc.descriptor) { threads.forEachNumber { ids.append($0) } }
        for id in ids where id != pid {
            do throws(Errno) {
                let path = "\(pid)/task/\(id)/fd"
                if try readDescriptors(in: path, of: pid, processDirectory: "../../..") > 0 { return false }
            } catch {
                if !error.isGone { return true }
            }
        }
        return false
    }

    /// Reads one table of descriptors. Returns the number of descriptors.
    private mutating func readDescriptors(
        in path: String,
        of pid: Int32,
        processDirectory: String
    ) throws(Errno) -> Int {
        let directory = try Directory(path, in: proc.descriptor)
        var name: ProcessName?
        var refusal: Errno?
        var count = 0
        var link = [CChar](repeating: 0, count: Self.linkSize)
        directory.forEachName { descriptor in
            let length = readlinkat(directory.descriptor, descriptor, &link, link.count)
            guard length >= 0 else {
                // Closed since it was listed; or not to be read, and then neither is the next.
                guard errno == EACCES || errno == EPERM else { return true }
                refusal = .last
                return false
            }
            count += 1
            guard let inode = Self.socketInode(link.span.bytes.extracting(first: length)),
                wanted?.contains(inode) != false
            else { return true }
            if name == nil { name = ProcessName(commOf: processDirectory, in: directory.descriptor) }
            // Without a name the process has just died, and its other descriptors with it.
            guard let name else { return false }
            found.append((inode, SocketOwner(pid: pid, name: name, descriptor: atoi(descriptor))))
            return true
        }
        coverage.descriptors += count
        if let refusal { throw refusal }
        return count
    }

    /// `socket:[4294967295]` and one byte more: a link that fills it is another's.
    private static let linkSize = 20

    /// The number in `socket:[123]`; nil for any other text.
    static func socketInode(_ link: RawSpan) -> UInt64? {
        // The first 8 bytes, `socket:[`, in one comparison.
        guard let prefix: UInt64 = link.number(at: 0), UInt64(bigEndian: prefix) == 0x736f_636b_6574_3a5b,
            link.byteCount > 9, link.number(at: link.byteCount - 1) == UInt8(ascii: "]")
        else { return nil }
        var inode: UInt64 = 0
        for offset in 8..<(link.byteCount - 1) {
            guard let byte: UInt8 = link.number(at: offset), case let digit = byte &- UInt8(ascii: "0"), digit < 10
            else { return nil }
            inode = inode &* 10 &+ UInt64(digit)
        }
        return inode
    }
}
