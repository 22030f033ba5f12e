internal import ConnectionTracking
internal import SeededRandom
internal import SocketValues

/// Dumps, lookups, and the comparison of the tracker's table with the kernel's.
extension Simulation where Tracker: ~Copyable {
    /// Dumps the sockets, while things happen.
    func dump(_ scope: DumpScope, isFirst: Bool = false, isQuiet: Bool = false) {
        if !isFirst { read() }
        let asked = now
        losses = 0
        deliver(.dumpBegan(scope), at: asked)
        let habits = scenario.habits
        let isCut = habits.cutsDumps && !isQuiet && !isFirst && generator.happens(100)
        let buffers = isQuiet || habits.dumpLength == 0 ? 1 : UInt64(1 + generator.below(4))
        for buffer in 0..<buffers {
            let bufferAsked = now
            now += buffers == 1 ? 1000 : generator.among(0...habits.dumpLength / buffers)
            advance(to: now)
            for object in kernel.order() where bucket(object, buffers) == buffer {
                if isCut, generator.happens(300) { continue }
                show(object, scope, at: habits.stampsRowsAtBeginning ? asked : bufferAsked, isQuiet: isQuiet || isFirst)
            }
            guard buffer + 1 < buffers, !isFirst else { continue }
            if generator.happens(700) { drain() }
        }
        now += isQuiet ? 1000 : generator.among(0...200_000)
        advance(to: now)
        drain()
        if isCut { kernel.features.insert(.dumpCut) }
        deliver(.dumpEnded(isComplete: !isCut), at: now)
        if isFirst { oracle.hasBegun(at: now) } else if scope == .all, !isCut, losses == 0 { oracle.settleLosses() }
    }

    /// Which of a dump's buffers an object is in, by its place in the hash.
    private func bucket(_ object: Int, _ buffers: UInt64) -> UInt64 {
        let state = kernel.objects[object].state
        guard buffers > 1, state != .listen, state != .closed else { return 0 }
        return SplitMix64.mixed(kernel.objects[object].name.endpoints.digest) >> 2 % buffers
    }

    private func show(_ object: Int, _ scope: DumpScope, at time: UInt64, isQuiet: Bool) {
        guard let row = kernel.row(object, in: scope.states) else {
            // On its way from one table to the other.
            if kernel.now < kernel.objects[object].changedAt { kernel.objects[object].isMissed = true }
            return
        }
        let isInHash = row.state != .listen && row.state != .bound && row.state != .closed
        // By chance: not by two dumps in a row that should show it.
        if scenario.habits.missesRows, !isQuiet, isInHash, !kernel.objects[object].isMissed, generator.happens(50) {
            kernel.features.insert(.rowMissed)
            kernel.objects[object].isMissed = true
            return
        }
        kernel.objects[object].isMissed = false
        let life = kernel.objects[object].life
        if life >= 0, row.state != .closed { kernel.lives[life].rows += 1 }
        deliver(.row(row), at: time)
        if scenario.habits.repeatsRows, isInHash, generator.happens(100) {
            kernel.features.insert(.rowRepeated)
            deliver(.row(row), at: time)
        }
    }

    /// Executes the lookups that are wanted, reads what was reported meanwhile, and gives the answers.
    func answerLookups(isQuiet: Bool = false) {
        // What comes after the ring was read, and before the kernel is asked, is read before the answer is delivered.
        if isQuiet || generator.happens(500) { read() }
        let wanted = lookups
        lookups.removeAll(keepingCapacity: true)
        var answers: [LookupAnswer] = []
        for lookup in wanted {
            let isFailing = scenario.habits.failsLookups && !isQuiet && generator.happens(150)
            if isFailing { kernel.features.insert(.lookupFailed) }
            var result = LookupAnswer.Result.failed
            if !isFailing { result = kernel.lookUp(lookup.name).map { .found($0) } ?? .gone }
            answers.append(LookupAnswer(lookup, askedAt: now, result))
            // A socket may have been taken out of the table whose transition is reported only now.
            if !kernel.ring.isEmpty { kernel.features.insert(.transitionUnread) }
            now += generator.among(2...40) * 1000
            advance(to: now)
        }
        drain()
        for answer in answers { deliver(.answer(answer), at: now) }
    }

    // MARK: The table

    /// Stops the world, lets the tracker learn all of it, and compares.
    func checkpoint() {
        kernel.features.insert(.checkpoint)
        let begin = now
        isPaused = true
        now += 1_000_000
        advance(to: now)
        read()
        for _ in 0..<4 {
            dump(.all, isQuiet: true)
            settle()
        }
        if oracle.violation == nil { compare() }
        isPaused = false
        world.delay(by: now - begin)
    }

    /// Does what the tracker wants within the next 300 ms.
    private func settle() {
        let end = now + 300_000_000
        for _ in 0..<1000 {
            guard oracle.violation == nil else { return }
            read()
            if !lookups.isEmpty {
                answerLookups(isQuiet: true)
            } else if tracker.wakeTime <= end {
                now = max(now, tracker.wakeTime)
                deliverWake()
            } else {
                break
            }
        }
        now = max(now, end)
        advance(to: now)
    }

    /// Lets run what the tracker waits for, an hour at most.
    private func runTimers() {
        let end = now + 3_600_000_000_000
        while oracle.violation == nil, tracker.wakeTime <= end {
            now = max(now, tracker.wakeTime)
            deliverWake()
            if !lookups.isEmpty { answerLookups(isQuiet: true) }
        }
    }

    /// Compares the tracker's table with the kernel's.
    private func compare() {
        var known: [TableEntry] = []
        tracker.forEach { known.append(TableEntry($0.name.cookie, $0.state, $0.isMinisocket)) }
        var real: [TableEntry] = []
        for object in kernel.present.sorted() {
            guard let row = kernel.row(object), row.state != .closed else { continue }
            real.append(TableEntry(row.name.cookie, row.state, row.isMinisocket))
        }
        known.sort()
        real.sort()
        if tracker.count != known.count {
            oracle.fail(.tableDiffers, "count is \(tracker.count), forEach has \(known.count)", at: now)
        }
        guard known != real else { return }
        let missing = real.filter { !known.contains($0) }
        let surplus = known.filter { !real.contains($0) }
        let text = "not in the tracker: \(missing), not in the kernel: \(surplus)"
        oracle.fail(.tableDiffers, text, at: now, about: (missing + surplus).map(\.cookie))
    }

    /// All sockets are gone.
    func finish() {
        if !kernel.present.isEmpty { oracle.fail(.modelIsWrong, "sockets are left in the model", at: now) }
        read()
        settle()
        guard oracle.violation == nil else { return }
        compare()
        guard oracle.violation == nil else { return }
        runTimers()
        if !tracker.isEmpty { oracle.fail(.notEmpty, "all is gone, and something is remembered", at: now) }
        oracle.judge(kernel, at: now)
    }
}

/// One socket of the table.
private struct TableEntry: Comparable, CustomStringConvertible {
    let cookie: SocketCookie
    private let state: TCPState
    private let isMinisocket: Bool

    init(_ cookie: SocketCookie, _ state: TCPState, _ isMinisocket: Bool) {
        (self.cookie, self.state, self.isMinisocket) = (cookie, state, isMinisocket)
    }

    private var key: (UInt64, UInt8, Int) { (cookie.rawValue, state.rawValue, isMinisocket ? 1 : 0) }
    static func < (left: Self, right: Self) -> Bool { left.key < right.key }
    var description: String { "\(cookie) \(state)\(isMinisocket ? " (minisocket)" : "")" }
}
