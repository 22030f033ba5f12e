internal import ConnectionTracking
internal import SocketValues

/// What segments and timers do.
extension Kernel {
    /// A SYN to the play's listener.
    func receiveSYN(_ operation: Operation, _ play: Play, _ slot: Int) {
        guard slot > 0, let listener = slots[play.number]?[0].socket, listener >= 0,
            objects[listener].state == .listen, !objects[listener].isGone
        else { return }
        let name = Addresses(play).child(slot, port: objects[listener].name.endpoints.localPort)
        guard takePlace(name, localPort: name.endpoints.localPort, .timeWaitReusedBySYN) else { return }
        switch operation {
        case .synForCookie:
            features.insert(.synCookie)
            slots[play.number]?[slot].cookieSYN = now
        case .synWithData:
            features.insert(.fastOpen)
            let child = addChild(of: listener, name, play, slot, life: nil)
            objects[child].synTime = now
            objects[child].timerEnd = now + 1_000_000_000  // The SYN+ACK's.
            objects[child].state = .synReceived
            truth(child, to: .synReceived, Causes(.receiveSYN))
        default:
            var request = KernelObject(kind: .request, play: play.number, slot: slot, name: name)
            (request.state, request.listener, request.synTime) = (.synReceived, listener, now)
            let object = add(request)
            slots[play.number]?[slot].request = object
            beginLife(object, side: .passive)
            lives[objects[object].life].listener = objects[listener].life
            truth(object, to: .synReceived, Causes(.receiveSYN))
            setTimer(object, after: 1_000_000_000)
        }
    }

    /// Whether the endpoints are free; a TIME_WAIT gives way.
    func takePlace(_ name: SocketName, localPort: UInt16, _ feature: Feature) -> Bool {
        var endpoints = name.endpoints
        endpoints.localPort = localPort
        guard let holder = holder(of: endpoints) else {
            if lives.contains(where: { $0.name.endpoints == endpoints }) { features.insert(.tupleReused) }
            return true
        }
        guard objects[holder].kind == .minisocket, objects[holder].state == .timeWait else { return false }
        end(holder, Causes(.reuse, orNone: true))
        features.insert(feature)
        return true
    }

    /// What has these endpoints in the hash of connections.
    func holder(of endpoints: Endpoints) -> Int? {
        present.first { index in
            objects[index].name.endpoints == endpoints && objects[index].state != .closed
                && objects[index].state != .listen
        }
    }

    private func addChild(of listener: Int, _ name: SocketName, _ play: Play, _ slot: Int, life: Int?) -> Int {
        var child = KernelObject(kind: .socket, play: play.number, slot: slot, name: name)
        (child.listener, child.isQueued, child.uid) = (listener, true, objects[listener].uid)
        child.hasPort = true
        child.lastSegment = now
        let object = add(child)
        slots[play.number]?[slot].socket = object
        if let life {
            objects[object].life = life
            lives[life].socket = object
        } else {
            beginLife(object, side: .passive)
            lives[objects[object].life].listener = objects[listener].life
        }
        return object
    }

    /// A segment to the connection of a slot.
    func receive(_ operation: Operation, _ play: Play, _ slot: Int) {
        guard let target = slots[play.number]?[slot] else { return }
        let socket = target.socket
        if socket >= 0, !objects[socket].isGone, objects[socket].state != .closed, objects[socket].state != .listen {
            return receive(operation, socket)
        }
        if target.request >= 0, !objects[target.request].isGone {
            return receive(operation, request: target.request, play, slot)
        }
        if target.cookieSYN != 0, operation != .rst {
            slots[play.number]?[slot].cookieSYN = 0
            return acceptCookie(play, slot, operation)
        }
        if let small = target.minisockets.last(where: { !objects[$0].isGone }) { receive(operation, small: small) }
    }

    private func acceptCookie(_ play: Play, _ slot: Int, _ operation: Operation) {
        guard let listener = slots[play.number]?[0].socket, listener >= 0, objects[listener].state == .listen else {
            return
        }
        let name = Addresses(play).child(slot, port: objects[listener].name.endpoints.localPort)
        guard takePlace(name, localPort: name.endpoints.localPort, .timeWaitReusedBySYN) else { return }
        let child = addChild(of: listener, name, play, slot, life: nil)
        truth(child, to: .synReceived, Causes(.receiveSYN))
        objects[child].state = .synReceived
        setState(child, to: .established, Causes(.receiveACK))
        objects[child].changedAt = 0
        if operation == .fin || operation == .finAck { receive(.fin, child) }
    }

    private func receive(_ operation: Operation, request: Int, _ play: Play, _ slot: Int) {
        if operation == .rst {
            features.insert(.resetOfRequest)
            return end(request, Causes(.receiveRST, orNone: true))
        }
        guard operation != .synCrossing else { return }
        let old = objects[request]
        guard !objects[old.listener].isGone, objects[old.listener].state == .listen else {
            features.insert(.requestDropped)
            return end(request, .any)
        }
        remove(request)
        let child = addChild(of: old.listener, old.name, play, slot, life: old.life)
        (objects[child].cookie, objects[child].state) = (old.cookie, .synReceived)
        objects[child].isMissed = old.isMissed
        objects[child].synTime = old.answers == 0 ? old.synTime : now
        lives[old.life].due = 0
        setState(child, to: .established, Causes(.receiveACK))
        if operation == .fin || operation == .finAck { receive(.fin, child) }
    }

    private func receive(_ operation: Operation, small: Int) {
        switch (objects[small].state, operation) {
        case (.finWait2, .fin), (.finWait2, .finAck):
            features.insert(.orphanBecameTimeWait)
            truth(small, to: .timeWait, Causes(.receiveFIN))
            objects[small].state = .timeWait
            setTimer(small, after: 60_000_000_000)
        case (.finWait2, .rst): end(small, Causes(.receiveRST, orNone: true))
        case (.finWait2, .data): end(small, .any)
        case (.timeWait, .rst):
            features.insert(.resetInTimeWait)
            end(small, Causes(.receiveRST, orNone: true))
        default: break
        }
    }

    /// A segment to a full socket.
    private func receive(_ operation: Operation, _ socket: Int) {
        let isOrphan = !objects[socket].isHeld && !objects[socket].isQueued
        switch (objects[socket].state, operation) {
        case (_, .rst): return receiveRST(socket)
        case (.synSent, .synAck), (.synReceived, .ack), (.synReceived, .synAck):
            let isActive = objects[socket].state == .synSent
            objects[socket].hasConnected = true
            setState(socket, to: .established, isActive ? Causes(.receiveSYNACK) : Causes(.receiveACK))
        case (.synSent, .synCrossing):
            features.insert(.simultaneousOpen)
            setState(socket, to: .synReceived, Causes(.receiveSYN))
        case (.synReceived, .fin), (.established, .fin), (.established, .finAck):
            objects[socket].isPeerDone = true
            setState(socket, to: .closeWait, Causes(.receiveFIN))
        case (.finWait1, .ack):
            objects[socket].isFINAcknowledged = true
            setState(socket, to: .finWait2, Causes(.receiveACK))
            if isOrphan { finish(socket, Ending(causes: .any, successor: .finWait2, isOrphan: true)) }
        case (.finWait1, .finAck):
            objects[socket].isFINAcknowledged = true
            setState(socket, to: .finWait2, Causes(.receiveACK))
            objects[socket].isPeerDone = true
            finish(socket, Ending(causes: Causes(.receiveFIN), successor: .timeWait, isOrphan: isOrphan))
        case (.finWait1, .fin):
            features.insert(.simultaneousClose)
            objects[socket].isPeerDone = true
            setState(socket, to: .closing, Causes(.receiveFIN))
        case (.finWait2, .fin), (.finWait2, .finAck):
            objects[socket].isPeerDone = true
            finish(socket, Ending(causes: Causes(.receiveFIN), successor: .timeWait, isOrphan: isOrphan))
        case (.closing, .ack), (.closing, .finAck):
            objects[socket].isFINAcknowledged = true
            finish(socket, Ending(causes: Causes(.receiveACK), successor: .timeWait, isOrphan: isOrphan))
        case (.lastAck, .ack), (.lastAck, .finAck):
            objects[socket].isFINAcknowledged = true
            finish(socket, Ending(causes: Causes(.receiveACK), isOrphan: isOrphan))
        case (.finWait1, .data) where isOrphan, (.finWait2, .data) where isOrphan:
            let causes = habits.reportsReasons ? Causes(.abort) : Causes(.receiveRST, .abort, orNone: true)
            finish(socket, Ending(causes: causes, error: .reset, reason: .abortOnData, isOrphan: true))
        default: return
        }
        objects[socket].lastSegment = now
        release(socket)
    }

    private func receiveRST(_ socket: Int) {
        let state = objects[socket].state
        switch state {
        case .synSent: features.insert(.resetInSYNSent)
        case .synReceived: features.insert(.resetInSYNReceived)
        case .established: features.insert(.resetInEstablished)
        case .finWait1: features.insert(.resetInFINWait1)
        case .finWait2: features.insert(.resetInFINWait2)
        case .closeWait: features.insert(.resetInCloseWait)
        case .closing: features.insert(.resetInClosing)
        default: features.insert(.resetInLastACK)
        }
        let error: SocketFailure = state == .synSent ? .refused : .reset
        objects[socket].lastSegment = now
        finish(socket, Ending(causes: Causes(.receiveRST), error: error, order: .received))
        afterRefusal(socket, from: state)
    }

    /// A blocking `connect()` that fails disconnects the socket.
    private func afterRefusal(_ socket: Int, from state: TCPState) {
        let (play, slot) = (objects[socket].play, objects[socket].slot)
        if state == .synSent, objects[socket].isHeld, slots[play]?[slot].isBlocking == true { wipe(socket) }
        if objects[socket].isHeld, objects[socket].hasPort, objects[socket].closedState == .closed {
            features.insert(.closedSocket)
        }
        release(socket)
    }

    func unreachable(_ socket: Int, _ operation: Operation) {
        guard objects[socket].state == .synSent else { return }
        let isPort = operation == .icmpPort
        let causes = isPort && !habits.reportsRefusals ? Causes(.receiveRST, .unreachable) : Causes(.unreachable)
        finish(socket, Ending(causes: causes, error: isPort ? .refused : .unreachable))
        afterRefusal(socket, from: .synSent)
    }

    func answerStray(_ play: Play) {
        guard isTraced, isWatched, habits.reportsReasons, let listener = slots[play.number]?[0].socket, listener >= 0,
            objects[listener].state == .listen
        else { return }
        write(.reset(ReportedReset(name(listener).cookie, in: .listen, reason: Reason.stray.rawValue)), of: -1)
    }

    /// A timer of a full socket, or a limit.
    func timer(_ operation: Operation, _ socket: Int) {
        let state = objects[socket].state
        guard state != .closed, state != .listen else { return }
        switch operation {
        case .synAgain where state == .synSent:
            features.insert(.handshakeRetransmitted)
            guard isTraced, isWatched else { return }
            write(.retransmitted(RetransmittedHandshake(name(socket), isRequest: false)), of: objects[socket].life)
        case .timeout where state != .finWait2:
            finish(socket, Ending(causes: Causes(.timeout), error: .timedOut, isOrphan: !objects[socket].isHeld))
            afterRefusal(socket, from: state)
        case .keepalive where state == .established || state == .closeWait:
            let reason = Reason.keepaliveTimeout
            finish(socket, Ending(causes: Causes(.timeout), error: .timedOut, reason: reason, order: .before))
            afterRefusal(socket, from: state)
        case .orphanLimit where state == .finWait1 && !objects[socket].isHeld:
            noteAbort(socket)
            finish(socket, Ending(causes: Causes(.abort), reason: .abortOnMemory, order: .before, isOrphan: true))
            release(socket)
        default: break
        }
    }

    func addTimer(_ object: Int, at time: UInt64) { timers.append((time, object)) }

    /// The timer of a request or a minisocket fires.
    func fire(_ object: Int) {
        guard !objects[object].isGone, objects[object].timerEnd <= now else { return }
        if objects[object].kind == .minisocket {
            let isTimeWait = objects[object].state == .timeWait
            features.insert(isTimeWait ? .timeWaitExpired : .orphanExpired)
            return end(object, isTimeWait ? Causes(.timeWaitTimeout, orNone: true) : Causes(.timeout, orNone: true))
        }
        objects[object].answers += 1
        if objects[object].answers > 1 + objects[object].play % 3 {
            features.insert(.requestExpired)
            return end(object, Causes(.timeout, orNone: true))
        }
        features.insert(.handshakeRetransmitted)
        if isTraced, isWatched {
            write(.retransmitted(RetransmittedHandshake(name(object), isRequest: true)), of: objects[object].life)
        }
        setTimer(object, after: 1_000_000_000 << UInt64(objects[object].answers))
    }

    /// Ends what a play has left open.
    func tidy(_ play: Play) {
        for socket in present.sorted() where objects[socket].play == play.number && objects[socket].kind == .socket {
            guard !objects[socket].isGone else { continue }
            if objects[socket].isHeld {
                if objects[socket].state == .closed { drop(socket) } else { close(socket, pid(of: play.number)) }
            } else if objects[socket].state != .closed {
                finish(socket, Ending(causes: Causes(.timeout), error: .timedOut, isOrphan: true))
                release(socket)
            } else {
                release(socket)
            }
        }
    }
}
