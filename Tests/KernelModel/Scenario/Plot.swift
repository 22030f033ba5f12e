internal import SeededRandom

/// What a play is about: the usual lives, and the odd ones.
package enum Plot: String, Sendable, CaseIterable {
    case active, passive, simultaneousOpen, simultaneousClose
    case refused, refusedByICMP, unanswered, givenUp, withoutPort
    case halfOpen, requestReset, requestOfClosedListener, synCookie, fastOpen
    case resetInEachState, abortInEachState, timeoutInEachState, dataAfterClose
    case queuedChildren, listenerAlone, listenerAgain, listenerWithoutPort
    case bound, boundThenConnected, unused
    case orphan, orphanReset, orphanGivenUp, timeWaitLimit, outlived
    case disconnected, twoMinisockets, refusedAgain, closedSocket
    case tupleAgain, timeWaitAgain, timeWaitReset
    case inKernel, longLived, wild
}

extension Play {
    /// A play of a plot.
    init(_ plot: Plot, number: Int, start: UInt64, seed: UInt64) {
        (self.plot, self.seed, self.number, self.start) = (plot, seed, number, start)
        acts = []
        var writer = PlayWriter(generator: SplitMix64(seed))
        writer.write(plot)
        acts = writer.acts
    }
}

/// Writes the acts of a play.
struct PlayWriter {
    var generator: SplitMix64
    var acts: [Act] = []

    /// Adds operations of a slot, each after a while.
    mutating func add(_ slot: Int, _ operations: Operation...) {
        for operation in operations { acts.append(Act(delay: pause(), slot: slot, operation: operation)) }
    }

    /// Adds a pause before what is added next.
    mutating func wait(_ range: ClosedRange<UInt64>, milliseconds: UInt64 = 1_000_000) {
        acts.append(Act(delay: generator.among(range) * milliseconds, slot: 0, operation: .stray))
    }

    /// From microseconds over loopback to seconds; never so short that two reports of a socket could change places.
    private mutating func pause() -> UInt64 {
        switch generator.below(10) {
        case 0...3: generator.among(50...400) * 1000
        case 4...6: generator.among(400...20_000) * 1000
        case 7...8: generator.among(20...700) * 1_000_000
        default: generator.among(700...4000) * 1_000_000
        }
    }

    /// One of several operations.
    mutating func one(_ operations: Operation...) -> Operation { generator.one(of: operations) }

    /// Maybe.
    mutating func maybe(_ perMille: Int = 500) -> Bool { generator.happens(perMille) }
}

extension PlayWriter {
    /// A socket that has connected.
    mutating func connected(_ slot: Int) {
        add(slot, .open)
        if maybe(200) { add(slot, .bind) }
        add(slot, one(.connect, .connectWithoutWaiting))
        if maybe(100) { add(slot, .synAgain) }
        add(slot, .synAck)
    }

    /// A listener, in slot 0.
    mutating func listening() {
        add(0, .open)
        if maybe(800) { add(0, .bind) }
        add(0, .listen)
    }

    /// A child of the listener.
    mutating func accepted(_ slot: Int) {
        add(slot, one(.syn, .syn, .syn, .synForCookie, .synWithData), .ack)
        if maybe(900) { add(slot, .accept) }
    }

    /// An end by FINs, by either side.
    mutating func finished(_ slot: Int) {
        switch generator.below(5) {
        case 0: add(slot, .fin, .close, .ack)
        case 1: add(slot, .close, .ack, .fin)
        case 2: add(slot, .close, .finAck)
        case 3: add(slot, .shutdown, .ack, .fin, .close)
        default: add(slot, .fin, .shutdown, .ack, .close)
        }
    }
}
