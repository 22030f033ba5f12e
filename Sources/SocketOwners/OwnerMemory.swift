public import SockDiag

/// Who holds or held each connection, by its cookie: asked once, and known to the very end of TIME_WAIT, when the kernel
/// itself has long forgotten.
///
/// Hand it every socket of every dump; it notes those that it does not know, and finds the owners of a whole batch in
/// one pass:
///
/// ```swift
/// var memory = OwnerMemory()
/// try client.forEach { memory.note($0) }
/// try memory.resolve()                     // reads /proc only if there was a new one
/// print(memory[socket.cookie])
/// memory.forget(socket.cookie)             // when the connection has ended
/// ```
///
/// The owners are those at the first pass after the socket got an inode: for a client's when it was opened, for a
/// server's when it was accepted. Who inherits it or is passed it later is found after ``forget(_:)``. A socket whose
/// owner was not found causes no second pass, but takes part in the next one.
///
/// About 100 bytes a connection.
public struct OwnerMemory: Sendable {
    private var table = OwnerTable()
    private var pending: [SocketCookie: UInt32] = [:]
    /// Who is known by a call alone.
    private var callers: [SocketCookie: SocketOwner] = [:]
    private var hasNew = false
    /// The sockets whose owners the last pass has found.
    package private(set) var latest: [SocketCookie] = []

    /// An empty memory.
    public init() {}

    /// The owners as they were found; empty where none were, or it was not asked for them yet.
    public subscript(cookie: SocketCookie) -> [SocketOwner] {
        let owners = table.owners(of: cookie.rawValue)
        return owners.isEmpty ? callers[cookie].map { [$0] } ?? [] : owners
    }

    /// Notes a process that has made a call by which it holds the socket, for as long as no pass finds its descriptor. Whether
    /// that is new.
    package mutating func note(_ caller: SocketOwner, of cookie: SocketCookie) -> Bool {
        guard !table.hasOwner(cookie.rawValue), callers[cookie] != caller else { return false }
        callers[cookie] = caller
        return true
    }

    /// Notes the socket for the next pass, unless its owners are known or it cannot have any. O(1).
    public mutating func note(_ socket: borrowing some SocketFields & ~Escapable) {
        guard let inode = socket.inode else { return }
        note(socket.cookie, inode: inode)
    }

    /// Notes the socket of a cookie and an inode for the next pass, unless its owners are known. O(1).
    public mutating func note(_ cookie: SocketCookie, inode: UInt32) {
        guard !table.hasOwner(cookie.rawValue) else { return }
        if !table.contains(cookie.rawValue) { hasNew = true }
        pending[cookie] = inode
    }

    /// Whether the owners of the socket were searched for.
    package func knows(_ cookie: SocketCookie) -> Bool { table.contains(cookie.rawValue) }

    /// Whether there is a socket whose owners were not searched for yet.
    package var isDue: Bool { hasNew }

    /// Finds the owners of all that was noted, in one pass; nil where nothing new was, and none was needed.
    ///
    /// Where it is known who will hold them, as the processes of a listener, name them first: the sockets that they
    /// do not hold stay noted for another pass.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where there is no `/proc`; what was noted stays noted.
    @discardableResult
    public mutating func resolve(in processes: ProcessSelection = .all) throws(KernelError) -> ScanCoverage? {
        guard hasNew else { return nil }
        let snapshot = try OwnerSnapshot(of: pending.values, in: processes)
        var rest: [SocketCookie: UInt32] = [:]
        latest.removeAll(keepingCapacity: true)
        for (cookie, inode) in pending {
            let owners = snapshot[inode]
            if owners.isEmpty, !processes.isAll {
                rest[cookie] = inode
            } else {
                table.insert(cookie.rawValue)
                if !owners.isEmpty { latest.append(cookie) }
                for owner in owners { table.append(owner, to: cookie.rawValue) }
            }
        }
        hasNew = rest.keys.contains { !table.contains($0.rawValue) }
        pending = rest
        return snapshot.coverage
    }

    /// Forgets the socket. If it is noted again, its owners are searched for again.
    public mutating func forget(_ cookie: SocketCookie) {
        table.remove(cookie.rawValue)
        pending[cookie] = nil
        callers[cookie] = nil
    }
}
