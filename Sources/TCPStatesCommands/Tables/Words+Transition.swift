internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
internal import SocketOwners
internal import TCPRecords
internal import TCPWatch

extension Words {
    /// Adds what is known of a transition beyond its states and its socket: how long the state before lasted, where
    /// that has no column, what was passed unseen, and what the connection came to.
    mutating func add(_ transition: Transition, withSpan: Bool) {
        if withSpan, let span = transition.timeInState { add("after", span) }
        if !transition.via.isEmpty {
            add { text in
                text.append("via:")
                for (index, state) in transition.via.enumerated() {
                    if index > 0 { text.append(.comma) }
                    text.append(state.description)
                }
            }
        }
        if let cause = transition.cause, cause.isUnusual {
            add { text in
                text.append("cause:")
                text.append(cause.word)
            }
        }
        if let reason = transition.resetReason {
            add { text in
                text.append("reset:")
                text.append(printable: reason.rawValue)
            }
        }
        for term in transition.undecided {
            add { text in
                text.append("undecided:\"")
                text.append(printable: term)
                text.append("\"")
            }
        }
        guard let final = transition.final else { return }
        add("sent", bytes: final.bytesSent)
        add("received", bytes: final.bytesReceived)
        add("retransmits", final.retransmits)
        if let duration = final.duration { add("lived", duration) }
    }

    /// Adds where a socket is and who holds it, as far as that was asked for: `netns:blue`, `by:curl(4711)`.
    mutating func addOwner(_ owners: [SocketOwner], _ namespace: NetworkNamespace?) {
        if let namespace {
            add {
                $0.append("netns:")
                $0.append(printable: namespace.label)
            }
        }
        guard let first = owners.first else { return }
        // Who else: the processes that the first one's descriptor was passed on to.
        add(first.pid, first.name, others: Set(owners.map(\.pid)).count - 1)
    }

    /// Adds whose call caused a transition, by the name that the process has now: `by:curl(4711)`.
    mutating func addCaller(_ pid: Int32) {
        add(pid, ProcessName(commOf: "/proc/\(pid)", in: AT_FDCWD), others: 0)
    }

    /// Adds that a process which has no number here has caused a transition: `by:(pid:[4026531836])`.
    mutating func addCaller(from pidNamespace: UInt32) {
        add { text in
            text.append("by:(pid:[")
            text.append(decimal: UInt64(pidNamespace))
            text.append("])")
        }
    }

    private mutating func add(_ pid: Int32, _ name: ProcessName?, others: Int) {
        add { text in
            text.append("by:")
            if let name { text.append(printable: name.text) }
            text.append("(")
            text.append(decimal: UInt64(pid))
            text.append(")")
            guard others > 0 else { return }
            text.append("+")
            text.append(decimal: UInt64(others))
        }
    }

    private mutating func add(_ name: StaticString, _ span: Duration) {
        add {
            $0.append(name)
            $0.append(.colon)
            $0.append(span: span.nanoseconds)
        }
    }

    private mutating func add(_ name: StaticString, bytes count: UInt64?) {
        guard let count else { return }
        add {
            $0.append(name)
            $0.append(.colon)
            $0.append(bytes: count)
        }
    }
}

extension TCPStep.Trigger {
    /// Whether a connection that ends by it did not end in order.
    fileprivate var isUnusual: Bool {
        switch self {
        case .receiveRST, .abort, .timeout, .unreachable, .reuse: true
        default: false
        }
    }
}
