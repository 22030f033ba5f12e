internal import SeededRandom

extension PlayWriter {
    /// Adds the acts of a plot.
    mutating func write(_ plot: Plot) {
        switch plot {
        case .active:
            connected(1)
            finished(1)
        case .passive:
            listening()
            for slot in 1...(1 + generator.below(3)) {
                accepted(slot)
                finished(slot)
            }
            add(0, .close)
        case .simultaneousOpen:
            add(1, .open)
            if maybe() { add(1, .bind) }
            add(1, .connect, .synCrossing)
            switch generator.below(4) {
            case 0: add(1, .close, .ack, .fin)
            case 1: add(1, one(.rst, .timeout, .closeAborting, .destroy), .close)
            default: add(1, .ack)
            }
            finished(1)
        case .simultaneousClose:
            connected(1)
            add(1, one(.close, .shutdown), .fin, .ack, .close)
        case .refused:
            add(1, .open)
            if maybe() { add(1, .bind) }
            add(1, one(.connect, .connectWithoutWaiting), .rst, .close)
        case .refusedByICMP:
            add(1, .open, one(.connect, .connectWithoutWaiting), one(.icmpPort, .icmpHost), .close)
        case .unanswered:
            add(1, .open, .connect)
            for _ in 0...generator.below(3) { add(1, .synAgain) }
            add(1, .timeout, .close)
        case .givenUp:
            add(1, .open, .connectWithoutWaiting, one(.close, .closeAborting, .destroy, .disconnect), .close)
        case .withoutPort:
            add(1, .open, .connectWithoutPort)
            if maybe() { connected(1) }
            add(1, .close)
        default:
            writeOdd(plot)
        }
    }

    private mutating func writeOdd(_ plot: Plot) {
        switch plot {
        case .halfOpen:
            listening()
            add(1, .syn)
            if maybe(300) { add(0, .close) }
        case .requestReset:
            listening()
            add(1, .syn, one(.rst, .destroy))
            if maybe() { add(1, .syn, .ack, .accept, .close, .finAck) }
            add(0, .close)
        case .requestOfClosedListener:
            listening()
            add(1, .syn)
            add(0, one(.close, .shutdown))
            if maybe() { add(1, .ack) }
            add(0, .close)
        case .synCookie:
            listening()
            add(1, .synForCookie, .ack, .accept)
            finished(1)
            add(0, .close)
        case .fastOpen:
            listening()
            add(1, .synWithData)
            if maybe(700) { add(1, .accept) }
            if maybe() { add(1, one(.ack, .fin, .close, .rst, .timeout, .closeAborting, .destroy)) }
            add(1, .ack)
            finished(1)
            add(0, .close)
        case .resetInEachState, .abortInEachState, .timeoutInEachState, .dataAfterClose:
            writeEnd(plot)
        case .queuedChildren:
            listening()
            for slot in 1...2 {
                add(slot, one(.syn, .synWithData), .ack)
                if maybe(300) { add(slot, .fin) }
            }
            add(0, one(.close, .shutdown, .destroy))
            add(0, .close)
        case .listenerAlone:
            listening()
            add(0, one(.close, .destroy), .close)
        case .listenerAgain:
            listening()
            add(0, .shutdown)
            if maybe() { add(0, .listen) }
            if maybe() { accepted(1) }
            finished(1)
            add(0, .close)
        case .listenerWithoutPort:
            add(0, .open, .listen)
            if maybe() {
                accepted(1)
                finished(1)
            }
            add(0, .close)
        default:
            writeOdder(plot)
        }
    }

    /// An end by other means than FINs, in any state.
    private mutating func writeEnd(_ plot: Plot) {
        if maybe() {
            connected(1)
        } else {
            listening()
            accepted(1)
        }
        switch generator.below(6) {
        case 0: break
        case 1: add(1, .fin)
        case 2: add(1, .fin, one(.close, .shutdown))
        case 3: add(1, one(.close, .shutdown))
        case 4: add(1, one(.close, .shutdown), .ack)
        default: add(1, one(.close, .shutdown), .fin)
        }
        switch plot {
        case .resetInEachState: add(1, .rst)
        case .abortInEachState:
            add(1, one(.closeUnread, .closeAborting, .destroy, .disconnect, .orphanLimit, .closeWithoutWaiting))
        case .timeoutInEachState: add(1, one(.timeout, .keepalive))
        default: add(1, .data)
        }
        add(1, .close)
        add(0, .close)
    }

    private mutating func writeOdder(_ plot: Plot) {
        switch plot {
        case .bound:
            add(1, .open, .bind)
            if maybe() { wait(1...30, milliseconds: 1_000_000_000) }
            add(1, .close)
        case .boundThenConnected:
            add(1, .open, .bind)
            if maybe() { wait(1...15, milliseconds: 1_000_000_000) }
            add(1, .connect, .synAck)
            finished(1)
        case .unused:
            add(1, .open, .close)
        case .orphan, .orphanReset, .orphanGivenUp:
            connected(1)
            add(1, .close, .ack)
            if maybe() { wait(1...30, milliseconds: 1_000_000_000) }
            if plot == .orphan { add(1, .fin) }
            if plot == .orphanReset { add(1, one(.rst, .data, .destroy)) }
        case .timeWaitLimit:
            connected(1)
            add(1, .timeWaitLimit)
            if maybe() {
                add(1, .close, .ack, .fin)
            } else {
                add(1, .shutdown, one(.fin, .ack), one(.ack, .fin), .close)
            }
        case .outlived:
            connected(1)
            add(1, .shutdown, .ack, .fin)
            wait(50...90, milliseconds: 1_000_000_000)
            add(1, .close)
        case .disconnected, .twoMinisockets:
            connected(1)
            add(1, .shutdown, one(.ack, .finAck), .fin, .disconnect, one(.connect, .connectWithoutWaiting))
            if plot == .twoMinisockets || maybe() { add(1, .synAck, .shutdown, .finAck) } else { add(1, .rst) }
            if maybe(300) { add(1, .disconnect, .connect, .synAck, .fin) }
            add(1, .close, .ack)
        case .refusedAgain:
            add(1, .open)
            if maybe() { add(1, .bind) }
            for _ in 0...generator.below(3) { add(1, one(.connect, .connectWithoutWaiting), .rst) }
            if maybe() { add(1, .connect, .synAck, .close, .finAck) }
            add(1, .close)
        case .closedSocket:
            add(1, .open)
            if maybe(800) { add(1, .bind) }
            add(1, .connectWithoutWaiting, .synAck, one(.rst, .timeout, .destroy, .shutdown), .ack, .fin)
            wait(1...20, milliseconds: 1_000_000_000)
            if maybe(300) { add(1, .connect, .synAck, .fin) }
            add(1, .close)
        default:
            writeAgain(plot)
        }
    }

    private mutating func writeAgain(_ plot: Plot) {
        switch plot {
        case .tupleAgain:
            for _ in 0...1 {
                add(1, .open, .bind, .connect, .synAck)
                add(1, .fin, .close, .ack)
            }
        case .timeWaitAgain:
            listening()
            for _ in 0...(1 + generator.below(2)) {
                add(1, one(.syn, .syn, .synForCookie), .ack, .accept, .close, one(.finAck, .ack), .fin)
            }
            add(0, .close)
        case .timeWaitReset:
            connected(1)
            add(1, one(.close, .shutdown), .finAck)
            if maybe() { wait(1...40, milliseconds: 1_000_000_000) }
            add(1, one(.rst, .destroy), .close)
        case .inKernel:
            add(1, .openInKernel, .connect, .synAck)
            if maybe() { finished(1) } else { add(1, one(.rst, .timeout, .closeAborting), .close) }
        case .longLived:
            if maybe() {
                listening()
                accepted(1)
            } else {
                connected(1)
            }
            wait(5...80, milliseconds: 1_000_000_000)
            finished(1)
            add(0, .close)
        default:
            if maybe() { listening() }
            for _ in 0..<(6 + generator.below(20)) {
                add(generator.below(3), generator.one(of: Operation.allCases))
            }
        }
    }
}
