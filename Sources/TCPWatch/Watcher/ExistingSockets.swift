internal import ConnectionTracking
internal import SockDiag

/// What the kernel said of the sockets that exist, until they are reported: a report shows more than a tracker reads.
///
/// About as much memory as their messages have, from a dump until `ready`; then ``removeAll()``.
struct ExistingSockets {
    /// A closed socket and its TIME_WAIT have one cookie.
    private struct Key: Hashable {
        let cookie: SocketCookie
        let isMinisocket: Bool
    }

    private var sockets: [Key: InetSocket] = [:]

    /// Takes the kernel's message about a socket.
    mutating func note(_ socket: InetSocket) {
        sockets[Key(cookie: socket.cookie, isMinisocket: socket.isMinisocket)] = socket
    }

    /// Forgets all: they were reported.
    mutating func removeAll() { sockets = [:] }

    /// A socket that a tracker knows, with all that the kernel said of it; with what the tracker remembers where nothing
    /// was, or where it was in another state then. Its owner is remembered where the kernel names none any more.
    subscript(tracked: TrackedSocket) -> InetSocket {
        let key = Key(cookie: tracked.name.cookie, isMinisocket: tracked.isMinisocket)
        guard let socket = sockets[key], socket.state == tracked.state else {
            return InetSocket(tracked.name.identity, state: tracked.state, uid: tracked.uid, inode: tracked.inode)
        }
        guard socket.inode == nil, let inode = tracked.inode else { return socket }
        return InetSocket(socket, uid: tracked.uid, inode: inode)
    }
}
