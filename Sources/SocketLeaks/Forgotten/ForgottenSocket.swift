public import SockDiag
public import TCPWatch

/// A socket that a running program forgot: it is of no use to it, it does not go by itself, and nobody closes it.
///
/// ```swift
/// for socket in try search.find().sockets {
///     print(socket.holders, socket.state, socket.age, socket.explanation)
/// }
/// ```
public struct ForgottenSocket: Hashable, Sendable, Identifiable {
    /// In which way it was forgotten.
    public var kind: Kind
    /// The socket; of one that no dump lists, what is known otherwise: its inode, and what it was when it was listed.
    public var socket: WatchedSocket
    /// Who holds it, by process and descriptor: several where it was inherited or passed on.
    public var holders: [SocketHolder]
    /// The protocol; of MPTCP, its subflows are sockets.
    public var protocolName: SocketProtocolName
    /// How long it has been so.
    public var age: SocketAge
    /// Its transitions in their order, as far as they were given to ``ForgottenSockets/note(_:)``.
    public var transitions: [Transition]
    /// Which side opened the connection.
    public var openedBy: OpeningSide
    /// The number of connections that wait to be accepted.
    public var waiting: Int

    /// A forgotten socket.
    public init(
        _ kind: Kind,
        _ socket: WatchedSocket,
        holders: [SocketHolder],
        protocolName: SocketProtocolName = .tcp,
        age: SocketAge,
        transitions: [Transition] = [],
        openedBy: OpeningSide = .unknown,
        waiting: Int = 0
    ) {
        (self.kind, self.socket, self.holders, self.protocolName) = (kind, socket, holders, protocolName)
        (self.age, self.transitions, self.openedBy, self.waiting) = (age, transitions, openedBy, waiting)
    }

    /// The inode: the same for as long as the socket is held, and no other socket's.
    public var id: UInt32 { socket.inode ?? 0 }

    /// The state; CLOSED for one that no dump lists.
    public var state: TCPState { socket.state }

    /// Whether it was never bound, as far as that is known: then it has no endpoints to be shown.
    private var isNowhere: Bool { socket.local.port == 0 && socket.remote.port == 0 }

    /// What usually leaves a socket so, in a sentence.
    public var explanation: String {
        switch kind {
        case .unconnected:
            "it was made and never connected, or its connection was refused, reset, timed out or let go; nobody called close()"
        case .halfClosed:
            "this side said that it sends no more, the peer has not closed, and nobody called close() here"
        case .unaccepted:
            "the listener is open, and nobody calls accept(): "
                + (waiting == 1 ? "a connection waits" : "\(waiting) connections wait")
        default: leak.reason
        }
    }

    /// The same as a leak, whose words it has.
    private var leak: SocketLeak { SocketLeak(socket, history: transitions, openedBy: openedBy) }
}

extension ForgottenSocket: CustomStringConvertible {
    /// Lines for people: the socket, since when, who holds it; how it got there; what usually causes that.
    public var description: String {
        ([summary] + (leak.path.map { ["  \($0)"] } ?? []) + ["  \(explanation)"]).joined(separator: "\n")
    }

    /// `CLOSE_WAIT 127.0.0.1:8080 ← 127.0.0.1:43014 for at least 2 min, held by server(4711):7`
    public var summary: String {
        let owners = holders.map(\.owner.description).joined(separator: " ")
        let what = isNowhere ? "\(state) (\(protocolName), in no dump)" : leak.endpoints
        return "\(what) \(age)" + (owners.isEmpty ? "" : ", held by \(owners)")
    }
}
