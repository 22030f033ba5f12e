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
        if let open = transition.timeOpen { add("lived", open) }
        guard let final = transition.final else { return }
        add("sent", bytes: final.bytesSent)
        add("received", bytes: final.bytesReceived)
        add("retransmits", final.retransmits)
    }

    /// Adds where a socket is and who holds it, as far as that was asked for: `netns:blue`, `owner:curl(4711)`.
    mutating func addOwner(_ owners: [SocketOwner], _ namespace: NetworkNamespace?) {
        if let namespace {
            add {
                $0.append("netns:")
                $0.append(printable: namespace.label)
            }
        }
        guard let first = owners.first else { return }
        // Who else: the processes that the first one's descriptor was passed on to.
        add("owner", first.pid, first.name, others: Set(owners.map(\.pid)).count - 1)
    }

    /// Adds whose call caused a transition, by the name that the process had then: `by:curl(4711)`, or
    /// `by:curl(pid:[4026531836])` where it has no number here.
    mutating func addCaller(of transition: Transition) {
        guard let pidNamespace = transition.pidNamespace else {
            if transition.pid != nil || transition.processName != nil {
                add("by", transition.pid, transition.processName)
            }
            return
        }
        add { text in
            text.append("by:")
            if let name = transition.processName { text.append(printable: name.text) }
            text.append("(pid:[")
            text.append(decimal: UInt64(pidNamespace))
            text.append("])")
        }
    }

    /// Adds a process, and how many others there are: `by:curl(4711)`, `owner:nginx(7)+3`.
    private mutating func add(_ word: StaticString, _ pid: Int32?, _ name: ProcessName?, others: Int = 0) {
        add { text in
            text.append(word)
            text.append(.colon)
            if let name { text.append(printable: name.text) }
            if let pid {
                text.append("(")
                text.append(decimal: UInt64(clamping: pid))
                text.append(")")
            }
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
        case .receiveRST, .abort, .timeout, .unreachable, .noPort, .listenerClosed, .reuse: true
        default: false
        }
    }
}
