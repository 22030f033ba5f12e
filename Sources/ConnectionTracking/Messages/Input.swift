package import SocketValues

/// Something that was learned of the sockets of one network namespace, and when: all that a ``ConnectionTracker`` ever
/// receives. Made by a driver from the kernel's bytes, by a journal from a file, or by a test from nothing.
///
/// Inputs come in the order in which they were learned; ``time`` is when the kernel changed a state or sent a message where
/// the kernel reports that, and else when it was asked.
package struct Input: Hashable, Sendable {
    /// When it happened, as far as the source knows.
    package var time: EventTime
    /// What was learned.
    package var fact: Fact

    /// An input.
    package init(_ fact: Fact, at time: EventTime) { (self.fact, self.time) = (fact, time) }

    /// What can be learned.
    package enum Fact: Hashable, Sendable {
        /// A dump begins; its time is the moment before it was asked for. Its rows follow, then ``dumpEnded(isComplete:)``.
        case dumpBegan(DumpScope)
        /// A row of the running dump.
        case row(SocketRow)
        /// The running dump has ended, and what was reported until then has been given before. An incomplete one (refused,
        /// cut short, inconsistent) proves no absence.
        case dumpEnded(isComplete: Bool)
        /// The answer to a ``Lookup`` that an output asked for.
        case answer(LookupAnswer)
        /// The kernel's message that it has destroyed a full socket.
        case destroyed(DestroyedSocket)
        /// A socket changed its state (`inet_sock_set_state`).
        case transition(TracedTransition)
        /// A SYN or a SYN+ACK was sent again.
        case retransmitted(RetransmittedHandshake)
        /// A RST was received or sent for a socket.
        case reset(ReportedReset)
        /// A socket that was bound and no more was destroyed (`tcp_destroy_sock`).
        case boundDestroyed(SocketCookie)
        /// A socket whose connection had ended was closed by the program that held it (`tcp_destroy_sock`).
        case released(SocketCookie)
        /// The watcher was changed: from one dump to the next it is now so many nanoseconds, and inodes are wanted or not.
        case configured(interval: UInt64, needsInodes: Bool)
        /// The filter was changed, and finds the object in these states. Rows of requests, minisockets and orphans have no
        /// owner.
        case matching(SocketName, StateMask)
        /// Reports were lost on the way here.
        case lost(Loss)
        /// Nothing was learned but the time, which has reached ``ConnectionTracker/wakeTime``.
        case wake
        /// The reader wants the state anew: it was too slow, or asks for it.
        case resynchronize
    }
}

/// Which sockets a dump is asked for.
package enum DumpScope: UInt8, Hashable, Sendable, CaseIterable {
    /// All.
    case all
    /// SYN_SENT and SYN_RCVD, and the listeners.
    case handshakes
    /// All but TIME_WAIT.
    case allButTimeWait

    /// The states that it shows.
    package var states: TCPStateSet {
        switch self {
        case .all: .all
        case .handshakes: [.synSent, .synReceived, .listen]
        case .allButTimeWait: .all.subtracting(.timeWait)
        }
    }
}

/// One socket in a dump's row or a lookup's answer, as far as a tracker reads it.
package struct SocketRow: Hashable, Sendable {
    /// The kernel's name, family and endpoints.
    package var name: SocketName
    /// The inode, by which owners are found; 0 for a request, a minisocket, an orphan and what is not yet accepted.
    package var inode: UInt32
    /// The owner's uid; nil where the row has none (``inode`` is 0 and it is not the listener's).
    package var uid: UInt32?
    /// Milliseconds until the kernel's timer fires; nil where none runs.
    package var timer: UInt32?
    /// The states in which the filter finds the socket, all else being as it is; all where there is no filter.
    package var matching: StateMask
    /// The state, ``SocketValues/TCPState/synReceived`` for a half-open request.
    package var state: TCPState
    /// Whether it is a minisocket: a TIME_WAIT, or an orphan in FIN_WAIT_2.
    package var isMinisocket: Bool

    /// A row.
    package init(
        _ name: SocketName,
        _ state: TCPState,
        isMinisocket: Bool = false,
        inode: UInt32 = 0,
        uid: UInt32? = nil,
        timer: UInt32? = nil,
        matching: StateMask = .all
    ) {
        (self.name, self.state, self.isMinisocket) = (name, state, isMinisocket)
        (self.inode, self.uid, self.timer, self.matching) = (inode, uid, timer, matching)
    }

    /// Whether it is a half-open request, which is no socket yet.
    package var isRequest: Bool { state == .synReceived && inode == 0 && !isMinisocket }
}

/// What came of a lookup.
package struct LookupAnswer: Hashable, Sendable {
    /// What was asked.
    package var lookup: Lookup
    /// The moment before it was asked, monotonic nanoseconds.
    package var askedAt: UInt64
    /// What was found.
    package var result: Result

    /// What a lookup can find.
    package enum Result: Hashable, Sendable {
        /// A socket: under the cookie that was asked for, or any where none was.
        case found(SocketRow)
        /// None.
        case gone
        /// The kernel did not answer: the question remains.
        case failed
    }

    /// An answer.
    package init(_ lookup: Lookup, askedAt: UInt64, _ result: Result) {
        (self.lookup, self.askedAt, self.result) = (lookup, askedAt, result)
    }
}

/// The kernel's message about a full socket that it has destroyed, as far as a tracker reads it.
package struct DestroyedSocket: Hashable, Sendable {
    /// The kernel's name, family and endpoints; after an abort all but the remote address may be cleared.
    package var name: SocketName
    /// What it came to; nil where the socket was cleared before.
    package var counters: SocketCounters?
    /// How many sequence numbers that were no payload the peer has acknowledged: one for the FIN, and one for the SYN, which
    /// the kernel counts for the side that connected alone. Nil where the kernel does not report it.
    package var acknowledgedControls: UInt64?
    /// Since the last segment of either direction, milliseconds; nil where the kernel does not report it.
    package var idleMilliseconds: UInt32?
    /// Whether the filter finds it.
    package var verdict: FilterVerdict

    /// A message.
    package init(
        _ name: SocketName,
        counters: SocketCounters? = nil,
        acknowledgedControls: UInt64? = nil,
        idleMilliseconds: UInt32? = nil,
        _ verdict: FilterVerdict = .finds
    ) {
        (self.name, self.counters, self.verdict) = (name, counters, verdict)
        (self.acknowledgedControls, self.idleMilliseconds) = (acknowledgedControls, idleMilliseconds)
    }
}

/// A transition of a full socket, as the kernel reports it.
package struct TracedTransition: Hashable, Sendable {
    /// The kernel's name, family and endpoints. Before a connect has chosen it, the local port is 0.
    package var name: SocketName
    /// The state before.
    package var from: TCPState
    /// The state after.
    package var to: TCPState
    /// The owner's uid.
    package var uid: UInt32
    /// The process in whose context it was taken while a call held the socket; nil in an interrupt. Negative for one that has
    /// no number here: that it was a call decides all the same.
    package var pid: Int32?
    /// What that process was called then; nil where that is not known.
    package var processName: ProcessName?
    /// The smoothed round-trip time, microseconds; 0 where none was measured.
    package var rtt: UInt32
    /// As ``SocketRow/matching``.
    package var matching: StateMask
    /// What the kernel left in the socket, with the transition to CLOSED; with any other the error alone, where there
    /// is one.
    package var rest: SocketRest?

    /// A transition.
    package init(
        _ name: SocketName,
        from: TCPState,
        to: TCPState,
        uid: UInt32 = 0,
        pid: Int32? = nil,
        processName: ProcessName? = nil,
        rtt: UInt32 = 0,
        matching: StateMask = .all,
        rest: SocketRest? = nil
    ) {
        (self.name, self.from, self.to, self.uid, self.pid) = (name, from, to, uid, pid)
        (self.processName, self.rtt, self.matching, self.rest) = (processName, rtt, matching, rest)
    }
}

/// What is left in a socket when it changes its state.
package struct SocketRest: Hashable, Sendable {
    /// What it came to; the peer's FIN counted as a byte received.
    package var counters: SocketCounters
    /// `sk_err`: 0 where nothing ended it but FINs or the program. It may be years old: an ICMP error with `IP_RECVERR`, or
    /// that of a connection before on the same socket. In SYN_SENT also `sk_err_soft`: what ICMP has said, and the program has
    /// not asked for.
    package var error: SocketFailure
    /// Whether the peer's FIN has come (`SOCK_DONE`).
    package var isPeerDone: Bool
    /// Whether no program holds the socket any more (`SOCK_DEAD`).
    package var isOrphan: Bool
    /// Whether no program has accepted the socket yet.
    package var isUnaccepted: Bool
    /// Whether TIME_WAITs were below `tcp_max_tw_buckets`; nil where the kernel's types do not show it.
    package var isBelowTimeWaitLimit: Bool?

    /// A rest.
    package init(
        _ counters: SocketCounters = SocketCounters(),
        error: SocketFailure = .none,
        isPeerDone: Bool = false,
        isOrphan: Bool = false,
        isUnaccepted: Bool = false,
        isBelowTimeWaitLimit: Bool? = nil
    ) {
        (self.counters, self.error, self.isPeerDone) = (counters, error, isPeerDone)
        (self.isOrphan, self.isUnaccepted) = (isOrphan, isUnaccepted)
        self.isBelowTimeWaitLimit = isBelowTimeWaitLimit
    }

    /// What it came to, without the peer's FIN.
    var payload: SocketCounters {
        var counters = counters
        if isPeerDone { counters.discountFIN() }
        return counters
    }
}

/// The error in a socket, by what it says of a connection's end.
package enum SocketFailure: UInt8, Hashable, Sendable, CaseIterable {
    /// None (0).
    case none
    /// ETIMEDOUT
    case timedOut
    /// ECONNREFUSED
    case refused
    /// ECONNRESET or EPIPE
    case reset
    /// ECONNABORTED
    case aborted
    /// Any other: what ICMP said of a segment.
    case unreachable
}

/// A SYN or a SYN+ACK that was sent again.
package struct RetransmittedHandshake: Hashable, Sendable {
    /// The socket that connects, or the half-open request.
    package var name: SocketName
    /// Whether it is a request's SYN+ACK.
    package var isRequest: Bool
    /// As ``SocketRow/matching``.
    package var matching: StateMask

    /// A retransmission.
    package init(_ name: SocketName, isRequest: Bool, matching: StateMask = .all) {
        (self.name, self.isRequest, self.matching) = (name, isRequest, matching)
    }
}

/// A RST that was received or sent.
package struct ReportedReset: Hashable, Sendable {
    /// The socket.
    package var cookie: SocketCookie
    /// Its state then.
    package var state: TCPState
    /// Why it was sent, by the kernel's number; nil where it was received. What it means is in
    /// ``ConnectionTracker/Configuration/resetReasons``.
    package var reason: UInt32?

    /// A RST.
    package init(_ cookie: SocketCookie, in state: TCPState, reason: UInt32?) {
        (self.cookie, self.state, self.reason) = (cookie, state, reason)
    }
}

/// Reports that were lost.
package struct Loss: Hashable, Sendable {
    /// Where.
    package var source: Gap.Source
    /// What happened, of the losses that a source can have.
    package var reason: Reason
    /// How many; nil where that is not known.
    package var count: UInt64?
    /// Whether RSTs that answer a SYN may be among them, so that an ICMP error cannot be distinguished from one any more.
    package var includesRefusals: Bool

    /// How reports are lost.
    package enum Reason: UInt8, Hashable, Sendable, CaseIterable {
        /// They came faster than they were read.
        case overrun
        /// The kernel passed over events while it reported others.
        case passedOver
    }

    /// A loss.
    package init(_ source: Gap.Source, _ reason: Reason, count: UInt64?, includesRefusals: Bool = false) {
        (self.source, self.reason, self.count, self.includesRefusals) = (source, reason, count, includesRefusals)
    }
}
