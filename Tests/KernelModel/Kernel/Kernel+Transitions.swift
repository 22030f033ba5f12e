internal import ConnectionTracking
internal import SeededRandom
internal import SocketValues

/// The transitions of full sockets, as `tcp_set_state()` makes them and its tracepoint reports them.
extension Kernel {
    /// When a RST is sent: before the transition that it belongs to, or after it.
    enum ResetOrder { case before, after, received }

    /// What a full socket's last transition is made of.
    struct Ending {
        var causes: Causes
        var pid: Int32?
        var isCall = false
        var error = SocketFailure.none
        var reason: Reason?
        var order = ResetOrder.after
        /// The state of the minisocket that takes over.
        var successor: TCPState?
        var isOrphan = false
    }

    /// The numbers of the kernel's reasons for a RST.
    enum Reason: UInt32, CaseIterable {
        case abortOnClose = 7, abortOnData, abortOnLinger, abortOnMemory, state, disconnectWithData, keepaliveTimeout
        /// One that ends no connection.
        case stray = 2
    }

    /// Takes a full socket to another state than CLOSED.
    func setState(_ object: Int, to: TCPState, _ causes: Causes, pid: Int32? = nil) {
        let from = objects[object].state
        let life = objects[object].life
        truth(object, to: to, causes, pid: pid)
        if isTraced, isWatched {
            let name = name(object)
            var traced = TracedTransition(
                name,
                from: from,
                to: to,
                uid: objects[object].uid,
                pid: pid ?? backlog(object)
            )
            if from == .synReceived, to == .established { traced.rtt = handshake(object) }
            let isWritten = write(.transition(traced), of: life)
            noteReport(life, from: from, isWritten: isWritten)
        }
        objects[object].oldState = from == .closed ? objects[object].closedState : from
        objects[object].changedAt = generator.happens(700) ? now + generator.among(1...30) * 1000 : 0
        objects[object].state = to
        objects[object].timerEnd = 0
        objects[object].lastSegment = now
        if to == .synReceived, from == .closed { objects[object].synTime = now }
    }

    /// The process in whose call a segment of the backlog is processed, mostly none.
    func backlog(_ object: Int) -> Int32? {
        guard objects[object].isHeld, !objects[object].isOfKernel, generator.happens(250) else { return nil }
        features.insert(.backlogTransition)
        return pid(of: objects[object].play)
    }

    func pid(of play: Int) -> Int32 { Int32(10_000 + play) }

    private func noteReport(_ life: Int, from: TCPState, isWritten: Bool, reason: Reason? = nil) {
        guard life >= 0, !lives[life].transitions.isEmpty else { return }
        let last = lives[life].transitions.count - 1
        lives[life].transitions[last].reportedFrom = from
        lives[life].transitions[last].isLost = !isWritten
        if habits.reportsReasons { lives[life].transitions[last].reason = reason?.rawValue }
    }

    /// The measured round trip of a handshake, microseconds: never longer than it took; with a SYN cookie anything.
    private func handshake(_ object: Int) -> UInt32 {
        let begin = objects[object].synTime
        guard begin != 0 else { return UInt32(generator.among(1...30_000_000)) }
        return UInt32(truncatingIfNeeded: (now - begin) / 1000)
    }

    /// Takes a full socket to CLOSED; a minisocket may take over.
    func finish(_ object: Int, _ ending: Ending) {
        let from = objects[object].state
        let life = objects[object].life
        let delay = generator.happens(500) ? generator.among(1...20) * 1000 : 0
        let isReporting = isTraced && isWatched
        let isLimited = slots[objects[object].play]?[objects[object].slot].isTimeWaitLimited == true
        let hasSuccessor = ending.successor != nil && !isLimited
        if hasSuccessor, let successor = ending.successor { addMinisocket(object, successor) }
        if isReporting, let reason = ending.reason, ending.order == .before, habits.reportsReasons {
            write(.reset(ReportedReset(name(object).cookie, in: from, reason: reason.rawValue)), of: life)
            features.insert(.resetBeforeTransition)
        }
        if isReporting, ending.order == .received, from == .synSent, habits.reportsRefusals {
            write(.reset(ReportedReset(name(object).cookie, in: from, reason: nil)), of: life)
        }
        let isTimeWait = hasSuccessor && ending.successor == .timeWait
        let to: TCPState = isTimeWait ? .timeWait : .closed
        if !hasSuccessor || isTimeWait {
            let causes = ending.successor != nil && !hasSuccessor ? .any : ending.causes
            truth(object, to: to, causes, pid: ending.isCall ? ending.pid : nil, at: now + delay)
            if isTimeWait, life >= 0 {
                lives[life].impliesTimeWait = from == .finWait2 && habits.reportsTimeWaitLimit
            }
        }
        if ending.successor != nil, !hasSuccessor { features.insert(.timeWaitLimitReached) }
        if isReporting {
            let isWritten = write(
                .transition(lastTransition(object, ending, isLimited: isLimited)),
                after: delay,
                of: life
            )
            if !hasSuccessor || isTimeWait {
                noteReport(life, from: from, isWritten: isWritten, reason: ending.reason)
            }
        }
        objects[object].state = .closed
        objects[object].timerEnd = 0
        objects[object].changedAt = 0
        objects[object].isLifeOver = true
        if !objects[object].isPortBound { objects[object].hasPort = false }
        if isReporting, let reason = ending.reason, ending.order == .after, habits.reportsReasons {
            let later = delay + generator.among(1...15) * 1000
            write(
                .reset(ReportedReset(name(object).cookie, in: .closed, reason: reason.rawValue)),
                after: later,
                of: life
            )
            features.insert(.resetAfterTransition)
        }
    }

    private func lastTransition(_ object: Int, _ ending: Ending, isLimited: Bool) -> TracedTransition {
        let from = objects[object].state
        var name = name(object)
        if !objects[object].isPortBound, generator.happens(100) { name.endpoints.localPort = 0 }
        var counters = SocketCounters()
        let life = objects[object].life
        if life >= 0 { counters = lives[life].counters }
        if objects[object].isPeerDone { counters.bytesReceived += 1 }
        let rest = SocketRest(
            counters,
            error: ending.error,
            isPeerDone: objects[object].isPeerDone,
            isOrphan: ending.isOrphan,
            isBelowTimeWaitLimit: habits.reportsTimeWaitLimit ? !isLimited : nil
        )
        let pid = ending.isCall ? ending.pid : backlog(object)
        return TracedTransition(name, from: from, to: .closed, uid: objects[object].uid, pid: pid, rest: rest)
    }

    // MARK: Minisockets

    /// Puts a minisocket in a full socket's place; it has the cookie that the socket has, or none.
    private func addMinisocket(_ socket: Int, _ state: TCPState) {
        let old = objects[socket]
        var successor = KernelObject(kind: .minisocket, play: old.play, slot: old.slot, name: old.name)
        (successor.cookie, successor.life, successor.state, successor.isOfKernel) = (
            old.cookie, old.life, state, old.isOfKernel
        )
        (successor.uid, successor.isMissed) = (old.uid, old.isMissed)
        let object = add(successor)
        slots[old.play]?[old.slot].minisockets.append(object)
        if state == .finWait2 { features.insert(.orphanMinisocket) }
        let twins = present.count { objects[$0].kind == .minisocket && objects[$0].cookie == old.cookie }
        if old.cookie != 0, twins > 1 { features.insert(.twoMinisocketsOfOneCookie) }
        setTimer(object, after: 60_000_000_000)
    }

    /// Sets the timer of a request or a minisocket, which may fire late.
    func setTimer(_ object: Int, after delay: UInt64) {
        objects[object].timerEnd = now + delay
        let life = objects[object].life
        if life >= 0 { lives[life].due = now + delay }
        let lateness = generator.among(0...(objects[object].kind == .minisocket ? 2_500_000_000 : 4_000_000))
        addTimer(object, at: now + delay + lateness)
    }

    /// Ends a request or a minisocket.
    func end(_ object: Int, _ causes: Causes) {
        guard !objects[object].isGone else { return }
        truth(object, to: .closed, causes)
        remove(object)
    }

    // MARK: Destruction

    /// Frees a full socket, which a program may have held until now.
    func free(_ object: Int, isCall: Bool) {
        let old = objects[object]
        if isTraced, isWatched, old.hasPort, old.name.endpoints.remotePort == 0 {
            features.insert(.boundDestroyed)
            if !write(.boundDestroyed(name(object).cookie), after: 40_000, of: old.life), old.life >= 0,
                lives[old.life].transitions.last?.reportedFrom == .bound
            {
                lives[old.life].transitions[lives[old.life].transitions.count - 1].isLost = true
            }
        } else if isTraced, isWatched, isCall, old.cookie != 0 {
            features.insert(.released)
            write(.released(name(object).cookie), after: 40_000)
        }
        if old.isOfKernel {
            features.insert(.kernelSocketEnded)
        } else if !isTraced, isWatched, habits.reportsDestroyed {
            if old.cookie == 0 { features.insert(.cookieGivenByMessage) }
            let message = message(object)
            if isLosing() {
                lostMessages += 1
                features.insert(.reportLost)
                if old.life >= 0 { lives[old.life].hasLost = true }
            } else {
                messages.append(Input(.destroyed(message), at: Self.time(now + 5000)))
            }
        }
        if old.life < 0 { features.insert(.unusedSocket) }
        remove(object)
    }

    private func message(_ object: Int) -> DestroyedSocket {
        let old = objects[object]
        var message = DestroyedSocket(name(object))
        if old.isWiped {
            features.insert(.clearedMessage)
            message.counters = old.name.endpoints.remotePort == 0 ? nil : SocketCounters()
        } else if old.life >= 0 {
            var counters = lives[old.life].counters
            if old.isPeerDone { counters.bytesReceived += 1 }
            message.counters = counters
            let isActive = lives[old.life].side == .active && old.hasConnected
            message.acknowledgedControls = (isActive ? 1 : 0) + (old.isFINAcknowledged ? 1 : 0)
        }
        if old.lastSegment != 0 { message.idleMilliseconds = UInt32((now - old.lastSegment) / 1_000_000) }
        return message
    }
}
