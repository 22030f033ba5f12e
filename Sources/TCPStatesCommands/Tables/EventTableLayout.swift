/// The column widths of the table of events. Those of the endpoints grow while lines are written; a line that is
/// written never changes.
struct EventTableLayout {
    /// Between two columns.
    static let gap = 2
    /// `07:20:46.123`
    static let time = 12
    /// `ESTABLISHED`, the longest name of a state.
    static let state = 11
    /// `59m59s`
    static let span = 6
    /// `~→` and ` →`.
    static let arrow = 2
    /// What stands between the endpoints, with its spaces.
    static let direction = 3
    /// Before words on a line of their own: where the states begin.
    static let indentation = time + gap

    /// The greatest length of a line; nil for any length.
    let width: Int?
    /// Whether the time in the state before has a column; on a narrow terminal it is one of the words.
    let hasSpanColumn: Bool
    private(set) var local: Int
    private(set) var remote: Int
    /// What the endpoints have together.
    private let room: Int

    /// The longest IPv4 endpoint, `255.255.255.255:65535`.
    private static let usualEndpoint = 21
    /// A terminal from so many columns on has room for IPv4 endpoints, the time and some words.
    private static let wide = 120

    init(width: Int?) {
        self.width = width
        hasSpanColumn = width.map { $0 >= Self.wide } ?? true
        let others =
            Self.time + Self.gap + Self.state + 1 + Self.arrow + 1 + Self.state + Self.gap + Self.direction
            + (hasSpanColumn ? Self.span + Self.gap : 0)
        room = width.map { max(0, $0 - others) } ?? .max
        local = min(Self.usualEndpoint, room / 2)
        remote = local
    }

    /// Whether endpoints and words of so many columns fit on their line.
    func fits(_ columns: Int) -> Bool { columns <= room }

    /// Makes room for a row's endpoints, as far as there is some.
    mutating func widen(local: Int, remote: Int) {
        self.local = max(self.local, min(local, room - self.remote))
        self.remote = max(self.remote, min(remote, room - self.local))
    }
}
