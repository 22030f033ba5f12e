internal import SockDiag
internal import TCPRecords

/// The widths of the columns of the socket table.
struct SocketTableLayout {
    /// Between two columns.
    static let gap = 2
    /// RECV-Q and SEND-Q.
    static let queue = 6
    /// Before the details below a row.
    static let indentation = 4

    /// The protocol's; nil where the column is not there.
    let netid: Int?
    let state: Int
    private(set) var local = 5
    private(set) var remote = 4
    private var trailing = 0
    /// Whether the trailing details do not fit behind the addresses, and stand below them.
    private(set) var isStacked = false

    /// The longest IPv4 endpoint, `255.255.255.255:65535`: what to expect of rows that are not yet known.
    private static let usualEndpoint = 21

    /// The states that may come decide the first column.
    init(states: TCPStateSet, hasTransport: Bool = false) {
        netid = hasTransport ? 5 : nil
        state = TCPState.allCases.lazy.filter(states.contains).map(\.description.utf8.count).reduce(5, max)
    }

    /// Makes room for a row.
    mutating func widen(local: Int, remote: Int, trailing: Int) {
        self.local = max(self.local, local)
        self.remote = max(self.remote, remote)
        self.trailing = max(self.trailing, trailing)
    }

    /// Decides, once the first rows are known: what a terminal is too narrow for moves below the row first, then the
    /// space behind short addresses goes.
    mutating func settle(width: Int?, isComplete: Bool) {
        if !isComplete { widen(local: Self.usualEndpoint, remote: Self.usualEndpoint, trailing: 0) }
        guard let width else { return }
        let others = (netid.map { $0 + Self.gap } ?? 0) + state + 2 * Self.queue + 4 * Self.gap
        isStacked = others + local + remote + Self.gap + trailing > width
        let room = width - others - remote
        if room < local { local = max(min(local, Self.usualEndpoint), room) }
    }
}
