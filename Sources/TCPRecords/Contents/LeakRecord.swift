public import SockDiag
public import TCPWatch

/// A socket that was left open: the record `leak`.
public struct LeakRecord: Hashable, Sendable {
    /// The socket and who holds it; of its details the record has none.
    public var socket: WatchedSocket
    /// What usually leaves a socket in that state, in a sentence.
    public var reason: String
    /// How long it was seen; nil where it was not seen before.
    public var age: Duration?
    /// The test that opened it; several where one of them did, none where that is not known.
    public var tests: [String]
    /// The states that it went through; empty where no transition was seen.
    public var history: [TCPState]
    /// Which side opened it.
    public var openedBy: OpeningSide
    /// Whether its process has ended since; else it is still open.
    public var isOpenAtExit: Bool

    /// A leak.
    public init(
        _ socket: WatchedSocket,
        reason: String,
        age: Duration? = nil,
        tests: [String] = [],
        history: [TCPState] = [],
        openedBy: OpeningSide = .unknown,
        isOpenAtExit: Bool
    ) {
        (self.socket, self.reason, self.age, self.tests) = (socket, reason, age, tests)
        (self.history, self.openedBy, self.isOpenAtExit) = (history, openedBy, isOpenAtExit)
    }
}
