internal import SockDiag

/// The escape sequences that colour a state (ECMA-48, SGR).
enum StateColor {
    static let reset: StaticString = "\u{1b}[0m"
    /// Bold.
    static let heading: StaticString = "\u{1b}[1m"

    /// Grey: what stands behind.
    static let detail: StaticString = "\u{1b}[90m"

    /// Green is open, blue waits for clients, yellow opens, magenta closes; red waits for a program that does not close,
    /// grey is over.
    static func of(_ state: TCPState) -> StaticString {
        switch state {
        case .established: "\u{1b}[32m"
        case .listen: "\u{1b}[34m"
        case .synSent, .synReceived: "\u{1b}[33m"
        case .finWait1, .finWait2, .closing, .lastAck: "\u{1b}[35m"
        case .closeWait: "\u{1b}[31m"
        case .timeWait, .closed, .bound: "\u{1b}[90m"
        default: "\u{1b}[7m"
        }
    }
}
