internal import LinuxSystem
internal import SockDiag
internal import Synchronization

/// One pass over processes, by the calling thread and one more that ends with the pass: nearly all of it is time in the
/// kernel, and two processes can be read at once (0.52 of the time with two processors, never more with one).
final class OwnerScan: Sendable {
    private let processes: [Int32]
    private let wanted: OwnerTable?
    private let next = Atomic<Int>(0)
    private let results: Mutex<(table: OwnerTable, coverage: ScanCoverage)>

    /// Finds the sockets whose inodes are keys of a table; without one, every socket.
    static func run(
        for wanted: OwnerTable?,
        in selection: ProcessSelection
    ) throws(KernelError) -> (table: OwnerTable, coverage: ScanCoverage) {
        if let wanted, wanted.count == 0 { return (wanted, ScanCoverage()) }
        let proc = try ProcessDirectory()
        let isByNumber = !selection.isAll && selection.names.isEmpty
        if !isByNumber, isLong, TaskFileIterator.isUsable, let all = try? walk(for: wanted, selection, proc) {
            return all
        }
        let scan = OwnerScan(
            isByNumber ? selection.pids.sorted() : proc.processes.filter { selection.includes($0, in: proc) },
            for: wanted
        )
        var (table, coverage) = try scan.run()
        let isFound = coverage.processes + coverage.unreadable == selection.pids.count
        coverage.hidesProcesses = !(isByNumber && isFound) && proc.hidesProcesses
        coverage.isConfined = !(isByNumber && isFound) && proc.isConfined
        return (table, coverage)
    }

    /// Whether there are so many open files that it pays to load a program: above 60 ms of reading.
    private static var isLong: Bool {
        guard let line = try? OpenFile.start(of: "/proc/sys/fs/file-nr", limit: 64) else { return false }
        let digits = line.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return Int(String(decoding: digits, as: UTF8.self)).map { $0 > 20_000 } ?? false
    }

    /// The same pass by the kernel's own iterator, which sees every process and takes an eighth of the time.
    static func walk(
        for wanted: OwnerTable?,
        _ selection: ProcessSelection,
        _ proc: borrowing ProcessDirectory
    ) throws(KernelError) -> (table: OwnerTable, coverage: ScanCoverage) {
        var table = wanted ?? OwnerTable()
        var coverage = ScanCoverage()
        var pid: Int32 = 0
        var name: ProcessName?
        var isSelected = false
        try TaskFileIterator().forEach { entry in
            if entry.pid != pid {
                (pid, name) = (entry.pid, nil)
                isSelected = selection.includes(pid, in: proc)
                if isSelected { coverage.processes += 1 }
            }
            guard isSelected else { return }
            coverage.descriptors += 1
            guard let inode = entry.socketInode, wanted == nil || table.contains(inode) else { return }
            if name == nil { name = proc.name(of: pid) }
            // Without a name the process has just died.
            guard let name else { return }
            if wanted == nil { table.insert(inode) }
            table.append(SocketOwner(pid: pid, name: name, descriptor: entry.descriptor), to: inode)
        }
        return (table, coverage)
    }

    private init(_ processes: [Int32], for wanted: OwnerTable?) {
        self.processes = processes
        self.wanted = wanted
        results = Mutex((wanted ?? OwnerTable(), ScanCoverage()))
    }

    private func run() throws(KernelError) -> (table: OwnerTable, coverage: ScanCoverage) {
        // Where a thread or its file descriptor is refused, this one reads all.
        let helper = processes.count > 1 ? try? JoinedThread { [self] in try? work() } : nil
        try work()
        helper?.join()
        return results.withLock { $0 }
    }

    /// Reads processes that no other thread has taken, until there are none.
    private func work() throws(KernelError) {
        var reader = try DescriptorReader(for: wanted)
        while case let index = next.add(1, ordering: .relaxed).oldValue, index < processes.count {
            reader.read(processes[index])
        }
        results.withLock { results in
            for (inode, owner) in reader.found {
                if wanted == nil { results.table.insert(inode) }
                results.table.append(owner, to: inode)
            }
            results.coverage.add(reader.coverage)
        }
    }
}

extension ProcessSelection {
    fileprivate func includes(_ pid: Int32, in proc: borrowing ProcessDirectory) -> Bool {
        if isAll || pids.contains(pid) { return true }
        guard let name = proc.name(of: pid) else { return false }
        return names.contains(name)
    }
}
