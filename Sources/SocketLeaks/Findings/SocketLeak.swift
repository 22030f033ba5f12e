internal import SockDiag
package import TCPWatch

/// A socket that was left open: what it is, who holds it, how it got there, and what usually causes that.
package struct SocketLeak: Hashable, Sendable {
    /// The socket and its owners, as they were found.
    package var socket: WatchedSocket
    /// Its transitions in their order, as far as they were watched.
    package var history: [Transition]
    /// How old it is, or at least is where its beginning was not watched; nil where it was not seen before.
    package private(set) var age: Duration?

    /// Which side opened the connection, where that is known.
    package let openedBy: OpeningSide

    /// A leak.
    ///
    /// - Parameters:
    ///   - socket: As it was found.
    ///   - history: What is known of its life until then.
    ///   - side: Who opened it, where that is known otherwise than by its history.
    ///   - firstSeen: When it was seen first.
    ///   - time: When it was found.
    package init(
        _ socket: WatchedSocket,
        history: [Transition] = [],
        openedBy side: OpeningSide = .unknown,
        firstSeen: EventTime? = nil,
        at time: EventTime = .now()
    ) {
        self.socket = socket
        self.history = history
        openedBy = side == .unknown ? SideEvidence.side(of: history) : side
        let first = history.first.flatMap { $0.from == .closed || $0.from == .bound ? $0 : nil }
        if side != .unknown, let first, first.from == .closed, first.certainty == .inferred {
            self.history[0].via = TCPStateMachine.passed(from: .closed, to: first.to, side: side)
        }
        guard let begin = (first?.time ?? firstSeen)?.monotonicNanoseconds, begin <= time.monotonicNanoseconds else {
            return
        }
        age = .nanoseconds(Int64(clamping: time.monotonicNanoseconds - begin))
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
        ([summary] + (path.map { ["  \($0)"] } ?? []) + ["  \(reason)"]).joined(separator: "\n")
    }

    /// `CLOSE_WAIT 127.0.0.1:8080 ← 127.0.0.1:43014, 2.3 s old, held by server(4711):7`
    package var summary: String {
        var parts = [endpoints]
        if let age, age >= .milliseconds(1) { parts.append("\(age.inWords) old") }
        if !socket.owners.isEmpty {
            parts.append("held by \(socket.owners.map(\.description).joined(separator: " "))")
        }
        return parts.joined(separator: ", ")
    }

    /// `CLOSE_WAIT 127.0.0.1:8080 ← 127.0.0.1:43014 in web`
    package var endpoints: String {
        let what = socket.state == .listen || socket.state == .bound ? "\(socket.state) \(socket.local)" : connection
        return what + (socket.namespace.map { " in \($0.label)" } ?? "")
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

    /// `CLOSED → SYN_RCVD → ESTABLISHED → CLOSE_WAIT (after 1.2 s)`; nil where no transition was watched.
    package var path: String? {
        guard let first = history.first else { return nil }
        var text = first.from?.description ?? "?"
        for transition in history {
            for state in transition.via + [transition.to] { text += " → \(state)" }
            if let time = transition.timeInState { text += " (after \(time.inWords))" }
        }
        return text
    }
}
