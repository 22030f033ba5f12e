package import SockDiag
package import TCPWatch

/// Who holds a socket, and by which descriptor.
package struct SocketHolder: Hashable, Sendable {
    /// As people are shown it.
    package let owner: SocketOwner
    /// The process, for sure.
    package let process: ProcessIdentity

    /// A holder.
    package init(_ owner: SocketOwner, of process: ProcessIdentity) { (self.owner, self.process) = (owner, process) }
}

/// A socket, and who holds it.
package struct HeldSocket: Hashable, Sendable {
    /// The socket, with its owners as people are shown them.
    package let socket: WatchedSocket
    /// The same owners, for sure.
    package let holders: [SocketHolder]

    /// A socket that is held.
    package init(_ socket: WatchedSocket, by holders: [SocketHolder]) {
        var socket = socket
        socket.owners = holders.map(\.owner)
        (self.socket, self.holders) = (socket, holders)
    }
}
