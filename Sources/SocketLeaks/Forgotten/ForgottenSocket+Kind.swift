internal import SockDiag

extension ForgottenSocket {
    /// A way to forget a socket: a condition that the kernel does not end, and that only the program that holds the
    /// descriptor can.
    ///
    /// What the kernel still works on is none of them, however long it takes: SYN_SENT, FIN_WAIT_1, CLOSING and LAST_ACK have
    /// timers, and come to CLOSED, which is found. ESTABLISHED is none, however idle: a pool keeps such connections on
    /// purpose.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// Its name, in words joined by hyphens.
        public let rawValue: String

        /// A kind of any name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// CLOSE_WAIT: the peer has closed, and the program has not. Nothing waits to be sent, and nothing was sent for as
        /// long: a server that still answers a client which has only ended its own sending is none.
        ///
        /// The program got the end of the stream (`read()` returned 0) and did not close, or never reads.
        public static let peerClosed = Kind(rawValue: "peer-closed")
        /// FIN_WAIT_2 with a descriptor: the program has called `shutdown()`, and not `close()`. No data came for as long.
        ///
        /// `net.ipv4.tcp_fin_timeout` ends only what no descriptor holds, so this lasts until the peer closes. A program may
        /// wait for a slow answer in it, hence the long ``threshold``.
        public static let halfClosed = Kind(rawValue: "half-closed")
        /// CLOSED: a connection that is over, by a reset, a timeout, an attempt that failed, or by both sides' FINs, and whose
        /// descriptor is open.
        public static let closed = Kind(rawValue: "closed")
        /// BOUND: a socket that has a port, and neither listens nor connects (listed by kernel 6.8; before it is
        /// ``unconnected``). It keeps others from the port.
        ///
        /// A program may reserve a port by it, hence the long ``threshold``.
        public static let bound = Kind(rawValue: "bound")
        /// A descriptor of a TCP socket that no dump lists: never bound; or refused, reset, timed out or disconnected, where
        /// its port was the kernel's choice. Which of them is known only to a search that found it before, or was given
        /// what a watcher reports: then it is ``closed``.
        public static let unconnected = Kind(rawValue: "unconnected")
        /// LISTEN with connections in its queue that nobody accepts: the first of them has waited for as long.
        ///
        /// Connections leave the queue in their order, so none behind the first was accepted either.
        public static let unaccepted = Kind(rawValue: "unaccepted")

        /// How long a socket has to be in the condition before ``ForgottenSockets/find(olderThan:)`` finds it, where it is
        /// given no other time: a minute, ten of them for what programs sometimes do on purpose.
        public var threshold: Duration {
            switch self {
            case .halfClosed, .bound: .seconds(600)
            default: .seconds(60)
            }
        }

        /// What usually helps, in a sentence.
        public var remedy: String {
            switch self {
            case .peerClosed:
                "close the socket where read() returns 0, and on every path on which an error ends its use"
            case .halfClosed: "close the socket when the answer is read, and give the answer a deadline"
            case .closed: "close the socket where a call fails: an error does not give the descriptor back"
            case .bound: "close the socket where the step after bind() is not taken"
            case .unconnected:
                "close the socket on every path on which it is not used: connect() that fails leaves it open"
            case .unaccepted: "accept in a loop, or close the listener, also in each process that inherited it"
            default: "close the socket when it is not used any more"
            }
        }
    }
}

extension ForgottenSocket.Kind: CaseIterable, CustomStringConvertible {
    /// All that this version finds.
    public static let allCases: [ForgottenSocket.Kind] = [
        .peerClosed, .halfClosed, .closed, .bound, .unconnected, .unaccepted,
    ]

    /// The name.
    public var description: String { rawValue }
}
