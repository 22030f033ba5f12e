public import SockDiag

/// Who held which socket at one moment: a single pass over the processes.
///
/// ```swift
/// import SockDiag
/// import SocketOwners
///
/// var client = try SockDiagClient()
/// let sockets = try client.sockets(in: .closeWait)
/// let owners = try OwnerSnapshot(of: sockets.compactMap(\.inode))
/// for socket in sockets {
///     print(socket, owners[socket.inode].map(\.description).joined(separator: " "))
/// }
/// if !owners.coverage.isComplete { print(owners.coverage) }  // what is missing, and what would help
/// ```
///
/// A pass costs about 3 µs for each descriptor of the selected processes, and half of it where a second processor is
/// idle, however many sockets are asked for; memory is for those that are. Ask for a machine's sockets at once, not one
/// by one. A task asks by ``/SockDiag/onOwnThread(_:)``. Where more than 20,000 files are open, and with CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH in
/// the first PID namespace, the kernel's own iterator takes the place of `/proc`: 0.4 µs a descriptor (kernel 5.12).
///
/// All owners are found, one for each descriptor. Not found are: processes that this one may not see or read
/// (``coverage``); a socket on its way between two processes (`SCM_RIGHTS`), which is in no table; and a thread that
/// has left its process' table (`unshare(CLONE_FILES)`), whose sockets then have no owner.
///
/// The numbers are true for a moment only: an inode's number is used again, at the earliest 2³² sockets later, and
/// owners change with `fork(2)`, `exec(2)` and `SCM_RIGHTS`. What is to be kept, keep by cookie: ``OwnerMemory``.
public struct OwnerSnapshot: Equatable, Sendable {
    let table: OwnerTable

    /// How much was seen.
    public let coverage: ScanCoverage

    /// Finds who holds the sockets of these inodes.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where there is no `/proc`.
    public init(
        of inodes: some Sequence<UInt32>,
        in processes: ProcessSelection = .all
    ) throws(KernelError) {
        var wanted = OwnerTable(minimumCapacity: inodes.underestimatedCount)
        for inode in inodes { wanted.insert(UInt64(inode)) }
        try self.init(wanted: wanted, in: processes)
    }

    /// Finds every socket that the processes hold, those of other protocols included.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where there is no `/proc`.
    public init(in processes: ProcessSelection = .all) throws(KernelError) {
        try self.init(wanted: nil, in: processes)
    }

    /// A snapshot made by hand, of these owners by inode.
    public init(owners: [UInt32: [SocketOwner]], coverage: ScanCoverage = ScanCoverage()) {
        var table = OwnerTable(minimumCapacity: owners.count)
        for (inode, owners) in owners {
            table.insert(UInt64(inode))
            for owner in owners { table.append(owner, to: UInt64(inode)) }
        }
        (self.table, self.coverage) = (table, coverage)
    }

    private init(wanted: OwnerTable?, in processes: ProcessSelection) throws(KernelError) {
        (table, coverage) = try OwnerScan.run(for: wanted, in: processes)
    }

    /// The owners of the socket of an inode, by process and descriptor; empty where there are none, or no inode.
    public subscript(inode: UInt32?) -> [SocketOwner] {
        inode.map { table.owners(of: UInt64($0)) } ?? []
    }

    /// The inodes of all sockets that were found, in no order.
    package var inodes: [UInt32] { table.heldKeys.map { UInt32(truncatingIfNeeded: $0) } }

    /// Whether one of the processes holds the socket of the inode. O(1), allocates nothing.
    public func contains(_ inode: UInt32?) -> Bool {
        inode.map { table.hasOwner(UInt64($0)) } ?? false
    }
}
