internal import SockDiag
internal import SocketOwners

/// A socket that was left open: what it is, who holds it, how it got there, and what usually causes that.
package struct SocketLeak: Hashable, Sendable {
    /// The socket and its owners, as they were found.
    package var socket: WatchedSocket
    /// Its steps in their order, as far as they were watched.
    package var history: [Transition]
    /// How old it is; nil where its beginning was not watched.
    package var age: Duration?

    /// Which side opened the connection, where that is known.
    package let openedBy: OpeningSide

    /// A leak that was found at a time, with what is known of the socket's life until then, and of who opened it.
    package init(
        _ socket: WatchedSocket,
        history: [Transition] = [],
        openedBy side: OpeningSide = .unknown,
        at time: EventTime = .now()
    ) {
        self.socket = socket
        self.history = history
        openedBy = side == .unknown ? Self.openingSide(of: history) : side
        if side != .unknown, let first = history.first, first.from == .closed, first.certainty == .inferred {
            self.history[0].via = TCPStateMachine.passed(from: .closed, to: first.to, side: side)
        }
        guard let first = history.first, first.from == .closed || first.from == .bound,
            first.time.monotonicNanoseconds <= time.monotonicNanoseconds
        else { return }
        age = .nanoseconds(Int64(clamping: time.monotonicNanoseconds - first.time.monotonicNanoseconds))
    }

    /// Which side opened a connection that took the steps; unknown where its beginning was not watched.
    package static func openingSide(of steps: [Transition]) -> OpeningSide {
        guard let first = steps.first(where: { $0.from == .closed || $0.from == .bound }) else { return .unknown }
        switch (first.via + [first.to]).first(where: { $0 == .synSent || $0 == .synReceived }) {
        case .synSent: return .active
        case .synReceived: return .passive
        default: return .unknown
        }
    }

    /// What usually leaves a socket in that state, in a sentence.
    package var reason: String {
        switch socket.state {
        case .listen: "the server was not shut down: nobody closed its listener"
        case .bound: "it was bound and then neither connected nor closed"
        case .synSent: "connect() still waits for an answer: the attempt was neither awaited nor cancelled"
        case .synReceived: "the handshake is not finished: the peer has not acknowledged it"
        case .established:
            switch openedBy {
            case .active: "the client, or the pool that keeps its connection, was not shut down"
            case .passive: "the connection was accepted, and neither side has closed it"
            case .unknown: "neither side has closed the connection"
            }
        case .finWait1:
            "this side said that it sends no more; the peer has not acknowledged, and nobody called close() here"
        case .finWait2: "this side said that it sends no more and waits for the peer; nobody called close() here"
        case .closeWait: "the peer closed and nobody called close() here"
        case .closing: "both sides closed at once; the peer has not acknowledged, and nobody called close() here"
        case .lastAck:
            "both sides said that they send no more; the peer has not acknowledged, and nobody called close() here"
        case .timeWait: "this side closed first; the kernel keeps the connection for 60 seconds"
        case .closed where socket.remote.port == 0: "it was made and then neither connected nor closed"
        case .closed: "the connection is over, by a reset or a timeout, and nobody called close() here"
        default: "nobody closed it"
        }
    }
}

extension SocketLeak: CustomStringConvertible {
    /// Lines for people: the socket, its age and its owners; how it got there; what usually causes that.
    package var description: String {
        ([summary] + (steps.map { ["  \($0)"] } ?? []) + ["  \(reason)"]).joined(separator: "\n")
    }

    /// `CLOSE_WAIT 127.0.0.1:8080 ← 127.0.0.1:43014, 2.3 s old, held by server(4711):7`
    package var summary: String {
        var parts = [socket.state == .listen || socket.state == .bound ? "\(socket.state) \(socket.local)" : connection]
        if let namespace = socket.namespace { parts[0] += " in \(namespace.label)" }
        if let age { parts.append("\(age.inWords) old") }
        if !socket.owners.isEmpty {
            parts.append("held by \(socket.owners.map(\.description).joined(separator: " "))")
        }
        return parts.joined(separator: ", ")
    }

    private var connection: String {
        let arrow =
            switch openedBy {
            case .active: "→"
            case .passive: "←"
            case .unknown: "–"
            }
        return "\(socket.state) \(socket.local) \(arrow) \(socket.remote)"
    }

    /// `CLOSED → SYN_RCVD → ESTABLISHED → CLOSE_WAIT (after 1.2 s)`; nil where no step was watched.
    package var steps: String? {
        guard let first = history.first else { return nil }
        var text = first.from?.description ?? "?"
        for step in history {
            for state in step.via + [step.to] { text += " → \(state)" }
            if let time = step.timeInState { text += " (after \(time.inWords))" }
        }
        return text
    }
}

extension Duration {
    /// `12 ms`, `2.3 s`
    fileprivate var inWords: String {
        let (seconds, attoseconds) = components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        return seconds == 0 ? "\(milliseconds) ms" : "\(seconds).\(milliseconds / 100) s"
    }
}

extension WatchedSocket {
    /// A socket as it is remembered, in a state that it is in no more.
    package init(
        remembered identity: SocketIdentity,
        in state: TCPState,
        uid: UInt32?,
        inode: UInt32?,
        namespace: NetworkNamespace?,
        owners: [SocketOwner]
    ) {
        socket = TCPSocket(identity, state: state, uid: uid, inode: inode)
        self.namespace = namespace
        self.owners = owners
    }
}
