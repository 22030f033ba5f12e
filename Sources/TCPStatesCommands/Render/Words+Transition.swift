internal import SockDiag
internal import TCPWatch

extension Words {
    /// Adds what is known of a step beyond its states and its socket: how long the state before lasted, where that has no
    /// column, what was passed unseen, and what the connection came to.
    mutating func add(_ step: Transition, withSpan: Bool) {
        if withSpan, let span = step.timeInState { add("after", span) }
        if !step.via.isEmpty {
            add { text in
                text.append("via:")
                for (index, state) in step.via.enumerated() {
                    if index > 0 { text.append(.comma) }
                    text.append(state.description)
                }
            }
        }
        guard let final = step.final else { return }
        add("sent", bytes: final.bytesSent)
        add("received", bytes: final.bytesReceived)
        add("retransmits", final.retransmits)
        if let duration = final.duration { add("lived", duration) }
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
