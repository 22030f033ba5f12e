internal import SockDiag
internal import SocketOwners

/// Which steps are told where there is a filter: those of a socket that it found when it was seen before, finds now, or
/// would have found in a state passed through.
extension ConnectionTracker {
    /// Whether the filter finds the socket as it is seen now, with the owner that it had.
    func finds(_ record: borrowing some SocketFields & ~Escapable, _ entry: KnownConnection) -> Bool {
        guard let filter else { return true }
        let holders = filter.asksOwners ? owners?[entry.cookie] ?? [] : []
        guard record.inode == nil, entry.inode != nil else { return filter.finds(record, of: holders) }
        return filter.finds(TCPSocket(record, uid: entry.uid, inode: entry.inode), of: holders)
    }

    /// Whether the filter would have found the socket in one of the states, by what is remembered of it.
    func finds(_ entry: KnownConnection, in states: [TCPState]) -> Bool {
        guard let filter else { return true }
        let holders = filter.asksOwners ? owners?[entry.cookie] ?? [] : []
        // In the kernel's message a uid of 0 is root's only where there is an inode, which the trace does not tell.
        let inode = entry.inode ?? (entry.uid == 0 ? .max : nil)
        return states.contains { state in
            let socket = TCPSocket(entry.identity, state: state, uid: entry.uid, inode: inode)
            return filter.finds(socket, of: holders)
        }
    }

    /// Whether the row needs ``/SocketOwners/OwnerMemory`` to be asked before the filter can decide.
    mutating func isUndecided(_ record: borrowing SocketRecord) -> Bool {
        guard filter?.asksOwners == true, record.inode != nil else { return false }
        guard let position = table.position(of: record.cookie) else { return true }
        return table.entries[position].inode == nil
    }

    /// Whether the filter found the socket when it was seen last.
    mutating func isFound(_ cookie: SocketCookie) -> Bool {
        guard filter != nil else { return true }
        return table.position(of: cookie).map { table.entries[$0].flags.contains(.isFound) } ?? false
    }
}
