internal import SockDiag
internal import TCPRecords

/// Sockets as a table for people: a line for each, long details on indented lines below it.
///
/// The first rows are held back to see how wide the columns must be. Later ones are written as they come; one that is
/// wider than its column pushes the rest of its line to the right.
struct SocketTable: SocketRenderer, ~Copyable {
    /// The number of rows that decide the widths.
    static let batchSize = 500

    var text = TextBuffer()
    let details: SocketDetails
    private let terminal: Terminal
    private let showsHeader: Bool
    let isOneLine: Bool
    var names: SocketNames
    var layout: SocketTableLayout
    private(set) var batch: [(row: Row, namespace: NetworkNamespace?)]? = []
    var words = Words()

    /// A row that is held back.
    enum Row {
        case inet(InetSocket)
        case unix(UnixRow)
    }

    init(
        details: SocketDetails,
        states: TCPStateSet,
        names: SocketNames,
        terminal: Terminal,
        showsHeader: Bool,
        isOneLine: Bool = false
    ) {
        self.details = details
        self.terminal = terminal
        self.showsHeader = showsHeader
        self.isOneLine = isOneLine
        self.names = names
        layout = SocketTableLayout(states: states, hasTransport: details.contains(.transport))
    }

    mutating func begin() {}

    mutating func render(_ socket: borrowing some SocketFields & ~Escapable) {
        guard batch != nil else { return write(socket) }
        hold(.inet(InetSocket(socket)))
    }

    /// Holds a row back until there are enough to decide the widths.
    mutating func hold(_ row: Row) {
        batch?.append((row, names.namespace))
        if batch?.count == Self.batchSize { settle(isComplete: false) }
    }

    mutating func finish() { settle(isComplete: true) }

    var writesCookies: Bool { details.contains(.extended) }

    mutating func begin(with sample: [InetSocket]) {
        guard batch != nil else { return }
        for socket in sample { measure(socket) }
        settle(isComplete: false)
    }

    func fork() -> SocketTable {
        var fork = SocketTable(
            details: details,
            states: [],
            names: names.fork(),
            terminal: terminal,
            showsHeader: false,
            isOneLine: isOneLine
        )
        fork.layout = layout
        fork.batch = nil
        return fork
    }

    /// Decides the widths, and writes what was held back.
    private mutating func settle(isComplete: Bool) {
        guard let rows = batch else { return }
        batch = nil
        let namespace = names.namespace
        for row in rows {
            names.namespace = row.namespace
            switch row.row {
            case .inet(let socket): measure(socket)
            case .unix(let row): measure(row)
            }
        }
        layout.settle(width: terminal.width, isComplete: isComplete)
        if showsHeader { writeHeader() }
        for row in rows {
            names.namespace = row.namespace
            switch row.row {
            case .inet(let socket): write(socket)
            case .unix(let row): write(row)
            }
        }
        names.namespace = namespace
    }

    private mutating func measure(_ socket: InetSocket) {
        var cell = TextBuffer()
        names.appendLocal(of: socket, to: &cell)
        let local = cell.count
        names.appendRemote(of: socket, to: &cell)
        addTrailing(socket)
        layout.widen(local: local, remote: cell.count - local, trailing: words.width)
    }

    private mutating func addTrailing(_ socket: borrowing some SocketFields & ~Escapable) {
        words.removeAll()
        words.addTrailing(socket, details, &names)
    }

    private mutating func writeHeader() {
        if terminal.hasColor { text.append(StateColor.heading) }
        if let netid = layout.netid {
            text.append("NETID")
            text.append(spaces: netid - 5 + SocketTableLayout.gap)
        }
        text.append("STATE")
        text.append(spaces: layout.state - 5 + SocketTableLayout.gap)
        text.append("RECV-Q  SEND-Q  LOCAL")
        text.append(spaces: layout.local - 5 + SocketTableLayout.gap)
        text.append("PEER")
        if terminal.hasColor { text.append(StateColor.reset) }
        text.append(.newline)
    }

    private mutating func write(_ socket: borrowing some SocketFields & ~Escapable) {
        let state = socket.state
        let name = socket.protocol.hasTCPStates ? state.description : socket.stateName
        let (receiveQueue, sendQueue) = socket.isListed ? (socket.receiveQueue, socket.sendQueue) : (nil, nil)
        writeStart(socket.protocol.netid, state, name, receiveQueue, sendQueue)
        var start = text.count
        names.appendLocal(of: socket, to: &text)
        text.append(spaces: layout.local - (text.count - start))
        text.append(spaces: SocketTableLayout.gap)
        start = text.count
        names.appendRemote(of: socket, to: &text)
        let padding = layout.remote - (text.count - start)
        guard !isOneLine else { return writeLine(socket, padding: padding) }
        if !details.isDisjoint(with: [.timers, .extended, .processes, .namespace, .service, .options]) {
            writeTrailing(socket, padding: padding)
        } else {
            text.append(.newline)
        }
        guard !details.isDisjoint(with: [.info, .memory]) else { return }
        words.removeAll()
        words.addBlock(socket, details)
        writeBlock()
    }

    /// Writes all details behind the addresses, however long the line becomes.
    private mutating func writeLine(_ socket: borrowing some SocketFields & ~Escapable, padding: Int) {
        addTrailing(socket)
        words.addBlock(socket, details)
        if !words.isEmpty { text.append(spaces: max(0, padding) + SocketTableLayout.gap) }
        words.append(to: &text)
        text.append(.newline)
    }

    /// Writes the first columns: the protocol, the state and the queues, `-` for one that is not known.
    mutating func writeStart(
        _ netid: StaticString,
        _ state: TCPState,
        _ stateName: String,
        _ receiveQueue: UInt32?,
        _ sendQueue: UInt32?
    ) {
        if let width = layout.netid {
            text.append(netid)
            text.append(spaces: width - netid.utf8CodeUnitCount + SocketTableLayout.gap)
        }
        write(state, stateName)
        text.append(spaces: SocketTableLayout.gap)
        for length in [receiveQueue, sendQueue] {
            if let length {
                text.append(decimal: UInt64(length), width: SocketTableLayout.queue)
            } else {
                text.append(spaces: SocketTableLayout.queue - 1)
                text.append("-")
            }
            text.append(spaces: SocketTableLayout.gap)
        }
    }

    private mutating func write(_ state: TCPState, _ name: String) {
        if terminal.hasColor { text.append(StateColor.of(state)) }
        text.append(name)
        if terminal.hasColor { text.append(StateColor.reset) }
        text.append(spaces: layout.state - name.utf8.count)
    }

    /// Writes the trailing details behind the addresses, or on lines of their own where they do not fit there.
    private mutating func writeTrailing(_ socket: borrowing some SocketFields & ~Escapable, padding: Int) {
        addTrailing(socket)
        writeEnd(padding: padding)
    }

    /// Writes the words behind the addresses, or on lines of their own where they do not fit there.
    mutating func writeEnd(padding: Int) {
        if words.isEmpty || (layout.isStacked && !isOneLine) {
            text.append(.newline)
            writeBlock()
        } else {
            text.append(spaces: max(0, padding) + SocketTableLayout.gap)
            words.append(to: &text)
            text.append(.newline)
        }
    }

    mutating func writeBlock() {
        guard !words.isEmpty else { return }
        words.append(to: &text, indentation: SocketTableLayout.indentation, width: terminal.width)
    }
}
