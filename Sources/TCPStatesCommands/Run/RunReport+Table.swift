internal import SockDiag
internal import SocketLeaks
internal import TCPRecords
internal import TCPWatch

extension RunReport {
    /// The number of kinds of connections that have a line.
    private static let shownKinds = 20

    /// Appends the report for people.
    func appendTable(to text: inout TextBuffer, names: inout SocketNames, terminal: Terminal) {
        guard !isTestRun else { return appendTests(to: &text) }
        appendHeadline(to: &text)
        appendLines(of: connections, to: &text, names: &names)
        appendStates(to: &text, terminal)
        appendOpenAtExit(to: &text)
        if unattributed.count > 0 {
            text.append(unattributed.count, "connection", "connections")
            text.append(" of this machine came and went too fast to find the owner:\n")
            appendLines(of: unattributed, to: &text, names: &names)
        }
        if lost > 0 {
            text.append(decimal: lost)
            text.append(" events were lost: the counts are too low\n")
        }
        appendLeaks(to: &text)
    }

    /// What the tests left, in their order.
    private func appendTests(to text: inout TextBuffer) {
        text.append("--- ")
        if leaks.isEmpty {
            text.append("no sockets leaked")
        } else {
            text.append(leaks.count, "socket", "sockets")
            text.append(" leaked")
        }
        text.append(" ---\n")
        var group: [String]?
        for finding in leaks {
            if finding.tests != group {
                group = finding.tests
                text.append(printable: finding.culprits)
                text.append(":\n")
            }
            append(finding.leak, to: &text)
        }
        if leaks.contains(where: { $0.tests.count > 1 }) {
            text.append("Which of several tests it was, -- --no-parallel mostly shows, and the trait .noSocketLeaks.\n")
        }
    }

    private func appendHeadline(to text: inout TextBuffer) {
        text.append("--- ")
        text.append(printable: shortCommand)
        text.append(": ")
        text.append(end.description)
        text.append(" after ")
        text.append(span: duration.nanoseconds)
        text.append(" ---\n")
        guard states.peak > 0 else { return text.append("none of the TCP sockets that were seen was its own\n") }
        let unknown = connections.count(.unknown)
        text.append(connections.count(.active), "connection", "connections")
        text.append(" made, ")
        text.append(decimal: UInt64(connections.count(.passive)))
        text.append(" accepted")
        if unknown > 0 {
            text.append(", ")
            text.append(decimal: UInt64(unknown))
            text.append(" opened by a side unknown")
        }
        text.append("; at most ")
        text.append(states.peak, "socket", "sockets")
        text.append(" at once\n")
    }

    /// COMMAND, as far as it fits.
    private var shortCommand: String {
        let command = words.joined(separator: " ")
        return command.count <= 60 ? command : "\(command.prefix(59))…"
    }

    private func appendLines(
        of connections: ConnectionTally,
        to text: inout TextBuffer,
        names: inout SocketNames
    ) {
        let ranked = connections.ranked
        for (kind, sum) in ranked.prefix(Self.shownKinds) {
            names.namespace = kind.namespace
            text.append(decimal: UInt64(sum.count), width: 7)
            text.append(kind.side == .passive ? " ← " : kind.side == .active ? " → " : "   ")
            names.append(kind.service, interface: kind.service.scope, to: &text)
            if let host = kind.host {
                text.append(" from ")
                text.append(host)
            }
            if let namespace = kind.namespace {
                text.append(" in ")
                text.append(printable: namespace.label)
            }
            if let sent = sum.bytesSent {
                text.append(sum.unmeasured > 0 ? "  sent ≥" : "  sent ")
                text.append(bytes: sent)
            }
            if let received = sum.bytesReceived {
                text.append(sum.unmeasured > 0 ? "  received ≥" : "  received ")
                text.append(bytes: received)
            }
            if sum.retransmits > 0 {
                text.append("  ")
                text.append(Int(clamping: sum.retransmits), "retransmit", "retransmits")
            }
            if let shortest = sum.shortest, let longest = sum.longest {
                text.append("  lasted ")
                text.append(span: shortest.nanoseconds)
                if sum.count > 1 {
                    text.append("–")
                    text.append(span: longest.nanoseconds)
                }
            }
            if sum.open > 0 {
                text.append("  ")
                text.append(decimal: UInt64(sum.open))
                text.append(" still open")
            }
            text.append(.newline)
        }
        let others = ranked.dropFirst(Self.shownKinds).reduce(0) { $0 + $1.sum.count }
        guard others > 0 else { return }
        text.append(decimal: UInt64(others), width: 7)
        text.append("   to and from others\n")
    }

    private func appendStates(to text: inout TextBuffer, _ terminal: Terminal) {
        guard !states.peaks.isEmpty else { return }
        text.append("STATE        PEAK   LEFT\n")
        for state in TCPState.allCases {
            guard let peak = states.peaks[state] else { continue }
            if terminal.hasColor { text.append(StateColor.of(state)) }
            text.append(state.description)
            if terminal.hasColor { text.append(StateColor.reset) }
            text.append(spaces: EventTableLayout.state - state.description.utf8.count)
            text.append(decimal: UInt64(peak), width: 6)
            text.append(decimal: UInt64(states.now[state] ?? 0), width: 7)
            text.append(.newline)
        }
    }

    private func appendOpenAtExit(to text: inout TextBuffer) {
        guard openAtExit.count > 0 else { return }
        text.append(openAtExit.count, "socket was", "sockets were")
        text.append(" open when the process ended; the kernel closed ")
        text.append(openAtExit.count == 1 ? "it\n" : "them\n")
        for socket in openAtExit.first {
            text.append("  ")
            text.append(printable: socket.leakAtExit.summary)
            text.append(.newline)
        }
        if openAtExit.count > openAtExit.first.count { text.append("  …\n") }
    }

    private func appendLeaks(to text: inout TextBuffer) {
        guard !leaks.isEmpty else { return }
        text.append(leaks.count, "socket", "sockets")
        text.append(" leaked\n")
        for finding in leaks { append(finding.leak, to: &text) }
    }

    private func append(_ leak: SocketLeak, to text: inout TextBuffer) {
        for line in leak.description.split(separator: "\n") {
            text.append("  ")
            text.append(printable: String(line))
            text.append(.newline)
        }
    }
}

extension RunReport.Finding {
    /// The number of tests that are named.
    private static let shownTests = 5

    /// Whose the leak is, as far as it is known.
    var culprits: String {
        guard let first = tests.first else { return "in no test that is known" }
        guard tests.count > 1 else { return first }
        let others = tests.count - Self.shownTests
        let rest = others > 0 ? " and \(others) more" : ""
        return "one of \(tests.prefix(Self.shownTests).joined(separator: ", "))\(rest)"
    }
}
