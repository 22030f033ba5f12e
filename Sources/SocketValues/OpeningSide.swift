/// Which side of the handshake a connection was on. There will be no other: a `switch` may name them all.
public enum OpeningSide: UInt8, Hashable, Sendable {
    /// Not known: the connection was there already, and nothing shows it.
    case unknown
    /// This side called `connect()`.
    case active
    /// A listener here received the SYN.
    case passive
}
