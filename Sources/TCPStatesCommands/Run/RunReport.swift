internal import SockDiag
internal import SocketLeaks
internal import TCPRecords

/// What COMMAND's sockets did, and which it left behind.
struct RunReport {
    /// A socket that was left open, and the tests that may have opened it, where there are tests.
    struct Finding {
        var leak: SocketLeak
        var tests: [String] = []
        /// Whether the kernel closed it, because its process had ended; else it is still open.
        var isOver = false
    }

    /// The number of sockets, and the first of them.
    struct Some {
        private(set) var count = 0
        private(set) var first: [SocketAccount] = []
        private static var shown: Int { 10 }

        mutating func add(_ socket: SocketAccount) {
            count += 1
            if first.count < Self.shown { first.append(socket) }
        }
    }

    /// COMMAND, as it was typed.
    let words: [String]
    var end = ChildCommand.End.exited(0)
    var duration = Duration.zero
    var connections = ConnectionTally()
    var states = StateTally()
    var leaks: [Finding] = []
    /// Sockets that were open when the process that held them ended.
    var openAtExit = Some()
    /// Connections of this machine whose owner could not be found.
    var unattributed = ConnectionTally()
    /// Whether COMMAND ran tests: only what leaked matters.
    var isTestRun = false
    /// Whether it could not be written.
    var isUnwritten = false
    /// The number of messages or events that were lost.
    var lost: UInt64 = 0
}
