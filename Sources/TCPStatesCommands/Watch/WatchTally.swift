internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// What was watched, for the lines at the end.
struct WatchTally {
    /// A kind of transition.
    fileprivate struct Kind: Hashable {
        let from: TCPState?
        let to: TCPState
    }

    private(set) var transitions = 0
    private var opened = 0
    private var closed = 0
    private var kinds: [Kind: Int] = [:]
    private var gaps = 0
    private var retransmissions: [Retransmission.Kind: Int] = [:]
    private var lost: [Gap.Source: UInt64] = [:]

    /// The number of kinds that are named.
    private static let shownKinds = 12

    /// Counts an event.
    mutating func count(_ event: SocketEvent) {
        switch event {
        case .transition(let transition):
            transitions += 1
            kinds[Kind(from: transition.from, to: transition.to), default: 0] += 1
            // One that is first known by its end began between two polls.
            if transition.opens || transition.from == nil { opened += 1 }
            if transition.closes { closed += 1 }
        case .retransmission(let retransmission): retransmissions[retransmission.kind, default: 0] += 1
        case .gap(let gap):
            gaps += 1
            lost[gap.source, default: 0] += gap.lost ?? 0
        case .socket, .ready, .slowed: break
        }
    }

    /// Appends the lines.
    func append(to text: inout TextBuffer, after time: Duration, sockets: Int) {
        text.append("--- ")
        text.append(span: time.nanoseconds)
        text.append(", ")
        text.append(sockets, "socket", "sockets")
        text.append(" watched ---\n")
        text.append(transitions, "transition", "transitions")
        text.append(", ")
        text.append(opened, "connection", "connections")
        text.append(" opened, ")
        text.append(decimal: UInt64(closed))
        text.append(" closed\n")
        appendKinds(to: &text)
        guard gaps > 0 else { return }
        text.append(gaps, "gap", "gaps")
        for (source, count) in lost.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text.append("; ")
            text.append(source.rawValue)
            // Nothing, or nobody knows how many.
            guard count > 0 else { continue }
            text.append(": ")
            text.append(decimal: count)
            text.append(" lost")
        }
        text.append(.newline)
    }

    /// Appends the last line: what was sent again. Nothing where nobody asked for it, or where there was nothing to replay.
    func appendRetransmissions(to text: inout TextBuffer, wereAskedFor: Bool) {
        let total = retransmissions.values.reduce(0, +)
        guard wereAskedFor || total > 0 else { return }
        text.append(total, "retransmission", "retransmissions")
        for (index, kind) in Retransmission.Kind.allCases.filter({ retransmissions[$0] != nil }).enumerated() {
            text.append(index == 0 ? ": " : ", ")
            text.append(decimal: UInt64(retransmissions[kind] ?? 0))
            text.append(.space)
            text.append(kind.title)
        }
        text.append(.newline)
    }

    private func appendKinds(to text: inout TextBuffer) {
        let ranked = kinds.sorted { (left: (key: Kind, value: Int), right: (key: Kind, value: Int)) -> Bool in
            left.value == right.value ? left.key.order < right.key.order : left.value > right.value
        }
        let width = "\(ranked.first?.value ?? 0)".utf8.count + 2
        for (kind, count) in ranked.prefix(Self.shownKinds) {
            text.append(decimal: UInt64(count), width: width)
            text.append("  ")
            text.append(kind.from?.description ?? "?")
            text.append(" → ")
            text.append(kind.to.description)
            text.append(.newline)
        }
        let others = ranked.dropFirst(Self.shownKinds).reduce(0) { $0 + $1.value }
        guard others > 0 else { return }
        text.append(decimal: UInt64(others), width: width)
        text.append("  others\n")
    }
}

extension Retransmission.Kind {
    /// What it is called at the end.
    fileprivate var title: StaticString {
        switch self {
        case .syn: "SYN"
        case .synAck: "SYN+ACK"
        case .data: "data"
        case .tailLossProbe: "TLP"
        }
    }
}

extension WatchTally.Kind {
    /// The order of a connection's life, for kinds that are equally frequent.
    fileprivate var order: Int {
        let all = TCPState.allCases
        func place(_ state: TCPState?) -> Int { state.flatMap { all.firstIndex(of: $0) } ?? all.count }
        // A connection begins in CLOSED, which is the last of all states.
        return (from == .closed ? -1 : place(from)) * 2 * all.count + place(to)
    }
}

extension TextBuffer {
    /// Appends how often dumps showed what the tracepoints do not.
    mutating func append(periods: (all: Duration, requests: Duration)) {
        // Nothing is dumped where every namespace has ended.
        guard periods.all > .zero else { return }
        append("traced; beside that, half-open requests were read every ")
        append(span: periods.requests.nanoseconds)
        append(" and all sockets every ")
        append(span: periods.all.nanoseconds)
        append(.newline)
    }
}
