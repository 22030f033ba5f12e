public import SockDiag
package import TCPWatch

/// A process that holds a socket, and the descriptor that it holds it by.
public struct SocketHolder: Hashable, Sendable {
    /// Number, name and descriptor, as people are shown them.
    public let owner: SocketOwner
    /// The process, and no other that has its number later.
    public let process: ProcessIdentity

    /// A holder.
    public init(_ owner: SocketOwner, of process: ProcessIdentity) { (self.owner, self.process) = (owner, process) }
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
