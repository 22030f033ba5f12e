internal import ConnectionTracking
internal import SeededRandom
internal import SocketValues

/// What programs do to their sockets.
extension Kernel {
    /// Does one operation of a play; what is impossible does nothing.
    func perform(_ act: Act, of play: Play) {
        if slots[play.number] == nil { slots[play.number] = [Slot](repeating: Slot(), count: 4) }
        switch act.operation {
        case .open, .openInKernel: open(play, act.slot, inKernel: act.operation == .openInKernel)
        case .syn, .synForCookie, .synWithData: receiveSYN(act.operation, play, act.slot)
        case .ack, .synAck, .fin, .finAck, .rst, .data, .synCrossing:
            receive(act.operation, play, act.slot)
        case .stray: answerStray(play)
        case .timeWaitLimit: slots[play.number]?[act.slot].isTimeWaitLimited = true
        default:
            guard let socket = slots[play.number]?[act.slot].socket, socket >= 0, !objects[socket].isGone else {
                if act.operation == .destroy { destroySmall(play, act.slot) }
                return
            }
            call(act.operation, socket, play, act.slot)
        }
    }

    private func call(_ operation: Operation, _ socket: Int, _ play: Play, _ slot: Int) {
        let pid = pid(of: play.number)
        let isHeld = objects[socket].isHeld
        switch operation {
        case .bind where isHeld: bind(socket, play, slot)
        case .listen where isHeld: listen(socket, play, slot, pid)
        case .connect where isHeld: connect(socket, play, slot, pid, isBlocking: true)
        case .connectWithoutWaiting where isHeld: connect(socket, play, slot, pid, isBlocking: false)
        case .connectWithoutPort where isHeld: connect(socket, play, slot, pid, isBlocking: true, hasPort: false)
        case .accept where objects[socket].isQueued: accept(socket)
        case .close where isHeld: close(socket, pid)
        case .closeUnread where isHeld: closeUnread(socket, pid)
        case .closeAborting where isHeld:
            abort(socket, pid)
            drop(socket)
        case .closeWithoutWaiting where isHeld: closeWithoutWaiting(socket, pid)
        case .shutdown where isHeld: shutdown(socket, pid)
        case .disconnect where isHeld: abort(socket, pid)
        case .destroy: destroy(socket, play, slot)
        case .icmpPort, .icmpHost: unreachable(socket, operation)
        case .synAgain, .timeout, .keepalive, .orphanLimit: timer(operation, socket)
        default: break
        }
    }

    private func open(_ play: Play, _ slot: Int, inKernel: Bool) {
        if let old = slots[play.number]?[slot].socket, old >= 0, !objects[old].isGone, objects[old].isHeld { return }
        let name = Addresses(play).unused
        var socket = KernelObject(kind: .socket, play: play.number, slot: slot, name: name)
        (socket.isHeld, socket.isOfKernel) = (true, inKernel)
        socket.inode = inKernel ? 0 : nextInode()
        socket.uid = inKernel ? 0 : UInt32(1000 + play.number % 7)
        slots[play.number]?[slot].socket = add(socket)
    }

    private func bind(_ socket: Int, _ play: Play, _ slot: Int) {
        guard objects[socket].state == .closed, !objects[socket].hasPort else { return }
        objects[socket].isPortBound = true
        objects[socket].hasPort = true
        objects[socket].isAddressBound = generator.happens(500)
        let addresses = Addresses(play)
        objects[socket].name.endpoints.localPort = slot == 0 ? addresses.listenerPort : addresses.boundPort(slot)
        if objects[socket].isAddressBound { addresses.setLocal(&objects[socket].name) }
        beginBound(socket, Causes(.bind, orNone: true))
    }

    private func beginBound(_ socket: Int, _ causes: Causes) {
        beginLife(socket, side: .unknown)
        truth(socket, to: .bound, causes)
    }

    private func listen(_ socket: Int, _ play: Play, _ slot: Int, _ pid: Int32) {
        guard objects[socket].state == .closed, !objects[socket].hasConnected, slot == 0 else { return }
        if objects[socket].closedState != .bound || objects[socket].isLifeOver { beginLife(socket, side: .unknown) }
        if !objects[socket].formerLives.isEmpty { features.insert(.reopenedListener) }
        setState(socket, to: .listen, Causes(.listen), pid: pid)
        if !objects[socket].hasPort {
            features.insert(.listenerWithoutPort)
            objects[socket].hasPort = true
            objects[socket].name.endpoints.localPort = Addresses(play).listenerPort + 1
        }
        lives[objects[socket].life].name = objects[socket].name
    }

    private func connect(
        _ socket: Int,
        _ play: Play,
        _ slot: Int,
        _ pid: Int32,
        isBlocking: Bool,
        hasPort: Bool = true
    ) {
        guard objects[socket].state == .closed, slot > 0 else { return }
        let addresses = Addresses(play)
        let again = slots[play.number]?[slot].connects ?? 0
        if objects[socket].closedState == .bound, !objects[socket].isLifeOver {
            features.insert(.boundBeforeConnect)
            lives[objects[socket].life].side = .active
        } else {
            beginLife(socket, side: .active)
        }
        noteAliases(socket)
        addresses.setLocal(&objects[socket].name)
        addresses.setRemote(&objects[socket].name)
        objects[socket].name.endpoints.remotePort = addresses.serverPort
        (objects[socket].isWiped, objects[socket].isPeerDone, objects[socket].isFINAcknowledged) = (false, false, false)
        let port =
            objects[socket].isPortBound ? objects[socket].name.endpoints.localPort : addresses.freePort(slot, again)
        if !objects[socket].isPortBound { objects[socket].name.endpoints.localPort = 0 }
        // A connect with tcp_tw_reuse takes the place of a TIME_WAIT.
        if hasPort, !takePlace(objects[socket].name, localPort: port, .timeWaitReusedByCall) {
            objects[socket].name.endpoints.remotePort = 0
            return giveUpConnect(socket)
        }
        let uid = objects[socket].isOfKernel ? nil : pid
        lives[objects[socket].life].beganWithoutPort = !objects[socket].isPortBound
        setState(socket, to: .synSent, Causes(.connect), pid: uid)
        slots[play.number]?[slot].connects += 1
        slots[play.number]?[slot].isBlocking = isBlocking
        guard hasPort || objects[socket].isPortBound else {
            features.insert(.connectWithoutPort)
            finish(socket, Ending(causes: .any, pid: uid, isCall: true))
            objects[socket].name.endpoints.remotePort = 0
            return
        }
        objects[socket].name.endpoints.localPort = port
        objects[socket].hasPort = true
        lives[objects[socket].life].name = objects[socket].name
    }

    /// EADDRNOTAVAIL before the first transition: there is no new life.
    private func giveUpConnect(_ socket: Int) {
        let life = objects[socket].life
        guard life >= 0, lives[life].transitions.isEmpty else { return }
        objects[socket].life = objects[socket].formerLives.popLast() ?? -1
        for cookie in lives[life].cookies { livesOfCookie[Int(cookie)].removeAll { $0 == Int32(life) } }
        lives[life].cookies = []
    }

    private func noteAliases(_ socket: Int) {
        let cookie = objects[socket].cookie
        guard cookie != 0 else { return }
        for object in present where objects[object].kind == .minisocket && objects[object].cookie == cookie {
            features.insert(.cookieAliased)
        }
        if let former = objects[socket].formerLives.last,
            lives[former].transitions.contains(where: { $0.to == .synSent }),
            !lives[former].transitions.contains(where: { $0.to == .established })
        {
            features.insert(.refusedAgain)
        }
    }

    private func accept(_ socket: Int) {
        let state = objects[socket].state
        guard state != .closed else { return }
        objects[socket].isHeld = true
        objects[socket].isQueued = false
        objects[socket].inode = nextInode()
    }
}

// MARK: - Ends

extension Kernel {
    /// A program holds the socket no more.
    func drop(_ socket: Int) {
        objects[socket].isHeld = false
        objects[socket].inode = 0
        if objects[socket].state == .closed { release(socket, isCall: true) }
    }

    /// Frees a socket that is CLOSED and that nobody holds.
    func release(_ socket: Int, isCall: Bool = false) {
        guard !objects[socket].isHeld, objects[socket].state == .closed, !objects[socket].isGone else { return }
        endBound(socket)
        free(socket, isCall: isCall)
    }

    private func endBound(_ socket: Int) {
        let life = objects[socket].life
        guard life >= 0, !objects[socket].isLifeOver, lives[life].transitions.last?.to == .bound else { return }
        truth(socket, to: .closed, Causes(.close, orNone: true), at: now + 40_000)
        if isTraced, isWatched { lives[life].transitions[lives[life].transitions.count - 1].reportedFrom = .bound }
    }

    func close(_ socket: Int, _ pid: Int32) {
        let caller = objects[socket].isOfKernel ? nil : pid
        switch objects[socket].state {
        case .listen: closeListener(socket, caller)
        case .synSent: finish(socket, Ending(causes: Causes(.close), pid: caller, isCall: true))
        case .synReceived, .established, .closeWait: shutdown(socket, pid)
        case .finWait2:
            finish(
                socket,
                Ending(causes: .any, pid: caller, isCall: true, successor: .finWait2, isOrphan: true)
            )
        default: break
        }
        drop(socket)
    }

    private func shutdown(_ socket: Int, _ pid: Int32) {
        let caller = objects[socket].isOfKernel ? nil : pid
        switch objects[socket].state {
        case .listen:
            closeListener(socket, caller)
            if objects[socket].isPortBound { beginBound(socket, .any) }
        case .synReceived, .established:
            if objects[socket].state == .synReceived { features.insert(.fastOpenClosedInHandshake) }
            setState(socket, to: .finWait1, Causes(.close), pid: caller)
        case .closeWait: setState(socket, to: .lastAck, Causes(.close), pid: caller)
        default: break
        }
    }

    private func closeUnread(_ socket: Int, _ pid: Int32) {
        guard [.established, .closeWait].contains(objects[socket].state) else { return close(socket, pid) }
        noteAbort(socket)
        finish(socket, Ending(causes: Causes(.abort), pid: pid, isCall: true, reason: .abortOnClose))
        drop(socket)
    }

    private func closeWithoutWaiting(_ socket: Int, _ pid: Int32) {
        guard objects[socket].state == .finWait2 else { return close(socket, pid) }
        noteAbort(socket)
        // Without the report of the RST it may as well be an orphan.
        let causes = habits.reportsReasons ? Causes(.abort) : .any
        let ending = Ending(causes: causes, pid: pid, isCall: true, reason: .abortOnLinger, isOrphan: true)
        finish(socket, ending)
        drop(socket)
    }

    /// `tcp_disconnect()`: the socket is as new, but for its explicit port and the peer's address.
    func abort(_ socket: Int, _ pid: Int32?) {
        let state = objects[socket].state
        let caller = objects[socket].isOfKernel ? nil : pid
        let isCall = caller != nil
        switch state {
        case .closed:
            guard objects[socket].name.endpoints.remotePort != 0 else { return }
        case .listen: closeListener(socket, caller)
        case .synSent: finish(socket, Ending(causes: Causes(.close, .abort), pid: caller, isCall: isCall))
        case .closing, .lastAck:
            noteAbort(socket)
            // Without a RST, and where the pid may be that of the backlog, nothing distinguishes it from the last ACK.
            let reason: Reason? = generator.happens(500) ? .disconnectWithData : nil
            let causes = reason == nil || !habits.reportsReasons ? Causes.any : Causes(.abort)
            finish(socket, Ending(causes: causes, pid: caller, isCall: isCall, reason: reason))
        default:
            noteAbort(socket)
            finish(socket, Ending(causes: Causes(.abort), pid: caller, isCall: isCall, reason: .state))
        }
        wipe(socket)
    }

    /// What `tcp_disconnect()` clears.
    func wipe(_ socket: Int) {
        let hadPeer = objects[socket].name.endpoints.remotePort != 0
        objects[socket].name.endpoints.remotePort = 0
        if !objects[socket].isAddressBound {
            (objects[socket].name.endpoints.localHigh, objects[socket].name.endpoints.localLow) = (0, 0)
        }
        if !objects[socket].isPortBound { objects[socket].name.endpoints.localPort = 0 }
        (objects[socket].isWiped, objects[socket].hasConnected) = (hadPeer, false)
        objects[socket].isPeerDone = false
        let isOver = objects[socket].isLifeOver
        if isOver, objects[socket].hasPort, objects[socket].isHeld { beginBound(socket, .any) }
    }

    func closeListener(_ socket: Int, _ pid: Int32?) {
        finish(socket, Ending(causes: Causes(.close, orNone: true), pid: pid, isCall: pid != nil))
        for child in present where objects[child].listener == socket && !objects[child].isGone {
            if objects[child].kind == .request { features.insert(.requestOutlivesListener) }
            guard objects[child].isQueued else { continue }
            features.insert(.queuedChildAborted)
            objects[child].isQueued = false
            if objects[child].state != .closed { abort(child, nil) }
            release(child)
        }
    }

    /// `SOCK_DESTROY`
    private func destroy(_ socket: Int, _ play: Play, _ slot: Int) {
        let killer: Int32 = 999
        switch objects[socket].state {
        case .closed: return destroySmall(play, slot)
        case .listen:
            closeListener(socket, killer)
            if objects[socket].isPortBound, objects[socket].isHeld { beginBound(socket, .any) }
            return
        case .synSent, .closing, .lastAck:
            noteAbort(socket)
            finish(socket, Ending(causes: Causes(.abort), pid: killer, isCall: true, error: .aborted))
        default:
            noteAbort(socket)
            let ending =
                Ending(
                    causes: Causes(.abort),
                    pid: killer,
                    isCall: true,
                    error: .aborted,
                    reason: .state,
                    order: .before
                )
            finish(socket, ending)
        }
        release(socket)
    }

    private func destroySmall(_ play: Play, _ slot: Int) {
        guard let target = slots[play.number]?[slot] else { return }
        if target.request >= 0, !objects[target.request].isGone {
            end(target.request, Causes(.receiveRST, .abort, orNone: true))
        } else if let small = target.minisockets.last(where: { !objects[$0].isGone }) {
            end(small, .any)
        }
    }

    func noteAbort(_ socket: Int) {
        switch objects[socket].state {
        case .established: features.insert(.abortInEstablished)
        case .finWait1: features.insert(.abortInFINWait1)
        case .finWait2: features.insert(.abortInFINWait2)
        case .closeWait: features.insert(.abortInCloseWait)
        case .closing: features.insert(.abortInClosing)
        case .lastAck: features.insert(.abortInLastACK)
        default: break
        }
    }
}
