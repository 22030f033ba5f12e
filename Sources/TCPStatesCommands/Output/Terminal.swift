internal import LinuxLibC

/// What the table may count on where it is written to.
struct Terminal {
    /// The number of columns of a line; nil where it may be of any length.
    var width: Int?
    /// Whether escape sequences become colours.
    var hasColor: Bool

    /// Neither limits nor colours, as in a file.
    static let none = Terminal(width: nil, hasColor: false)

    init(width: Int?, hasColor: Bool) {
        self.width = width
        self.hasColor = hasColor
    }

    /// What the descriptor leads to. `COLUMNS` and `NO_COLOR` (https://no-color.org) win over what the terminal says,
    /// an explicit choice of colour wins over all.
    init(descriptor: Int32, color: ColorChoice) {
        let isTerminal = isatty(descriptor) == 1
        width = Self.columns() ?? (isTerminal ? Self.columns(of: descriptor) : nil)
        hasColor =
            switch color {
            case .always: true
            case .never: false
            case .auto: isTerminal && Self.variable("NO_COLOR").isEmpty && Self.variable("TERM") != "dumb"
            }
    }

    private static func columns() -> Int? { Int(variable("COLUMNS")).flatMap { $0 > 0 ? $0 : nil } }

    private static func columns(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    private static func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
}
