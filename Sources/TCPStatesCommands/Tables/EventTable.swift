internal import SockDiag
internal import SocketLeaks
internal import TCPRecords
internal import TCPWatch

/// Events as a table for people: a line for each transition, with what else is known behind it, or below it where a
/// terminal is too narrow. What was lost is no row: it is reported on standard error.
struct EventTable: EventRenderer, ~Copyable {
    private(set) var text = TextBuffer()
    private let terminal: Terminal
    private let showsHeader: Bool
    private let showsProcesses: Bool
    private var names: SocketNames
    private var layout: EventTableLayout
    private var words = Words()
    private var cell = TextBuffer()

    init(names: SocketNames, terminal: Terminal, showsHeader: Bool, showsProcesses: Bool = false) {
        self.names = names
        self.terminal = terminal
        self.showsHeader = showsHeader
        self.showsProcesses = showsProcesses
        layout = EventTableLayout(width: terminal.width)
    }

    mutating func begin() {
        guard showsHeader else { return }
        color(StateColor.heading)
        let afterFrom = EventTableLayout.state - 4 + 1 + EventTableLayout.arrow + 1
        text.append("TIME")
        text.append(spaces: EventTableLayout.indentation - 4)
        text.append("FROM")
        text.append(spaces: afterFrom)
        text.append("TO")
        text.append(spaces: EventTableLayout.state - 2 + EventTableLayout.gap)
        if layout.hasSpanColumn {
            text.append(spaces: EventTableLayout.span - 5)
            text.append("AFTER")
            text.append(spaces: EventTableLayout.gap)
        }
        text.append("LOCAL")
        text.append(spaces: layout.local - 5 + EventTableLayout.direction)
        text.append("PEER")
        color(StateColor.reset)
        text.append(.newline)
    }

    mutating func prepare(_ events: [SocketEvent]) {
        for event in events {
            switch event {
            case .socket(let socket): measure(socket.identity, socket.namespace)
            case .retransmission(let again): measure(again.identity, again.namespace)
            case .transition(let transition): measure(transition.identity, transition.namespace)
            default: break
            }
        }
    }

    private mutating func measure(_ identity: SocketIdentity, _ namespace: NetworkNamespace?) {
        names.namespace = namespace
        cell.removeAll()
        names.append(identity.local, interface: identity.interface, to: &cell)
        let local = cell.count
        names.append(identity.remote, interface: identity.remote.scope, to: &cell)
        layout.widen(local: local, remote: cell.count - local)
    }

    mutating func render(_ event: SocketEvent) {
        switch event {
        case .socket(let socket):
            write(socket.state, socket.identity, socket.namespace, socket.owners, at: socket.time ?? .now())
        case .transition(let transition): write(transition)
        case .retransmission(let again):
            write(again.state, again.identity, again.namespace, again.owners, at: again.time, again)
        default: break
        }
    }

    /// The report sums them up.
    func render(_ connection: SocketAccount, at now: EventTime) {}

    mutating func render(_ report: RunReport) { report.appendTable(to: &text, names: &names, terminal: terminal) }

    mutating func drain(to output: inout Output) { output.drain(&text) }

    mutating func flush(to output: inout Output) { output.flush(&text) }

    /// Writes what is known of a socket in the one state that it is in.
    private mutating func write(
        _ state: TCPState,
        _ identity: SocketIdentity,
        _ namespace: NetworkNamespace?,
        _ owners: [SocketOwner],
        at time: EventTime,
        _ retransmission: Retransmission? = nil
    ) {
        text.append(wallClock: time.realtimeNanoseconds)
        text.append(spaces: EventTableLayout.gap + EventTableLayout.state + 1 + EventTableLayout.arrow + 1)
        write(state)
        text.append(spaces: EventTableLayout.gap)
        if layout.hasSpanColumn { text.append(spaces: EventTableLayout.span + EventTableLayout.gap) }
        words.removeAll()
        words.addOwner(owners, namespace)
        if let kind = retransmission?.kind { words.add { $0.append("retransmit:\(kind.rawValue)") } }
        names.namespace = namespace
        writeEndpoints(identity, nil)
    }

    private mutating func write(_ transition: Transition) {
        text.append(wallClock: transition.time.realtimeNanoseconds)
        text.append(spaces: EventTableLayout.gap)
        if let from = transition.from {
            write(from)
        } else {
            text.append("?")
            text.append(spaces: EventTableLayout.state - 1)
        }
        text.append(transition.certainty == .inferred ? " ~" : "  ")
        text.append("→ ")
        write(transition.to)
        text.append(spaces: EventTableLayout.gap)
        if layout.hasSpanColumn {
            cell.removeAll()
            if let span = transition.timeInState { cell.append(span: span.nanoseconds) }
            text.append(spaces: EventTableLayout.span - cell.count)
            cell.withBytes { text.append($0) }
            text.append(spaces: EventTableLayout.gap)
        }
        words.removeAll()
        words.addOwner(transition.owners, transition.namespace)
        if showsProcesses, transition.pid != nil || transition.processName != nil {
            words.add("by", transition.pid, transition.processName)
        }
        names.namespace = transition.namespace
        words.add(transition, withSpan: !layout.hasSpanColumn)
        writeEndpoints(transition.identity, transition.openedBy)
    }

    private mutating func write(_ state: TCPState) {
        let name = state.description
        color(StateColor.of(state))
        text.append(name)
        color(StateColor.reset)
        text.append(spaces: EventTableLayout.state - name.utf8.count)
    }

    /// Writes both endpoints, with what connects them, and the words behind them or below.
    private mutating func writeEndpoints(_ identity: SocketIdentity, _ side: OpeningSide?) {
        let start = text.count
        names.append(identity.local, interface: identity.interface, to: &text)
        text.append(spaces: layout.local - (text.count - start))
        var used = max(text.count - start, layout.local)
        switch side {
        case .active: text.append(" → ")
        case .passive: text.append(" ← ")
        default: text.append("   ")
        }
        let middle = text.count
        names.append(identity.remote, interface: identity.remote.scope, to: &text)
        guard !words.isEmpty else { return text.append(.newline) }
        used += max(text.count - middle, layout.remote)
        if layout.fits(used + EventTableLayout.gap + words.width) {
            text.append(spaces: layout.remote - (text.count - middle) + EventTableLayout.gap)
            color(StateColor.detail)
            words.append(to: &text)
            color(StateColor.reset)
            text.append(.newline)
        } else {
            text.append(.newline)
            color(StateColor.detail)
            words.append(to: &text, indentation: EventTableLayout.indentation, width: layout.width)
            color(StateColor.reset)
        }
    }

    private mutating func color(_ sequence: StaticString) {
        if terminal.hasColor { text.append(sequence) }
    }
}
