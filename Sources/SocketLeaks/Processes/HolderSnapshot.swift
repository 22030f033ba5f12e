internal import LinuxSystem
internal import SockDiag
package import SocketOwners

/// Which of some processes held which socket at one moment.
///
/// The pass over descriptors knows processes by their numbers. So those that were found are identified again afterwards:
/// where the number belongs to another process by then, what was read may be the other's, and does not count.
package struct HolderSnapshot: Sendable {
    private var owners: OwnerSnapshot?
    /// The processes that were the same before and after.
    private var processes: [Int32: ProcessIdentity] = [:]

    /// How much was seen; nil where nothing was asked.
    package var coverage: ScanCoverage? { owners?.coverage }

    /// A snapshot in which nobody holds anything.
    package init() {}

    /// Finds who of the processes holds the sockets of these inodes.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where there is no `/proc`.
    package init(of inodes: some Collection<UInt32>, in processes: Set<ProcessIdentity>) throws(KernelError) {
        guard !inodes.isEmpty, !processes.isEmpty else {
            self.init()
            return
        }
        let owners = try OwnerSnapshot(of: inodes, in: ProcessSelection(pids: Set(processes.map(\.pid))))
        var holding: Set<Int32> = []
        for inode in inodes where owners.contains(inode) { holding.formUnion(owners[inode].map(\.pid)) }
        try self.init(owners, by: processes.filter { holding.contains($0.pid) })
    }

    /// Finds all sockets that the processes hold.
    ///
    /// - Parameters:
    ///   - processes: As they were identified before.
    ///   - isAll: Whether they are all that there are: then the kernel's iterator may be used.
    /// - Throws: ``/SockDiag/KernelError`` where there is no `/proc`.
    package init(in processes: Set<ProcessIdentity>, thatAreAll isAll: Bool = false) throws(KernelError) {
        guard !processes.isEmpty else {
            self.init()
            return
        }
        let owners = try OwnerSnapshot(in: isAll ? .all : ProcessSelection(pids: Set(processes.map(\.pid))))
        try self.init(owners, by: processes)
    }

    /// The inodes of the sockets that are held, in no order.
    package var inodes: [UInt32] { owners?.inodes.filter { !self[$0].isEmpty } ?? [] }

    private init(_ owners: OwnerSnapshot, by expected: Set<ProcessIdentity>) throws(KernelError) {
        self.owners = owners
        guard !expected.isEmpty else { return }
        let proc = try ProcessDirectory()
        for process in expected {
            // One that has ended since was itself until then.
            guard ProcessIdentity(of: process.pid, in: proc).map({ $0 == process }) ?? true else { continue }
            processes[process.pid] = process
        }
    }

    /// Who holds the socket of an inode; empty where nobody does, or for no inode.
    package subscript(inode: UInt32?) -> [SocketHolder] {
        guard let owners, owners.contains(inode) else { return [] }
        return owners[inode].compactMap { owner in processes[owner.pid].map { SocketHolder(owner, of: $0) } }
    }
}
