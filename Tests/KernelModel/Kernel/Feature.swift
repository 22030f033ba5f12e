/// The odd things that the model's kernel has done: what a test of the model looks for.
package enum Feature: Int, CaseIterable, Sendable {
    case cookieAliased, twoMinisocketsOfOneCookie, refusedAgain, tupleReused, timeWaitReusedBySYN, timeWaitReusedByCall
    case synCookie, fastOpen, fastOpenClosedInHandshake, simultaneousOpen, simultaneousClose
    case resetInSYNSent, resetInSYNReceived, resetInEstablished, resetInFINWait1, resetInFINWait2, resetInCloseWait
    case resetInClosing, resetInLastACK, resetInTimeWait, resetOfRequest
    case abortInEstablished, abortInFINWait1, abortInFINWait2, abortInCloseWait, abortInClosing, abortInLastACK
    case queuedChildAborted, requestOutlivesListener, requestExpired, requestDropped, boundBeforeConnect,
        boundDestroyed, released
    case orphanMinisocket, orphanBecameTimeWait, orphanExpired, timeWaitLimitReached, timeWaitExpired
    case cookieGivenByMessage, minisocketNamedAnew, clearedMessage, closedSocket, kernelSocketEnded, unusedSocket
    case resetBeforeTransition, resetAfterTransition, handshakeRetransmitted, backlogTransition, listenerWithoutPort,
        connectWithoutPort
    case oldStateAnswered, transitionUnread, rowMissed, rowRepeated, dumpCut, lookupFailed, listenerAnswered, reportLost
    case existedBefore, resynchronized, checkpoint, lateWake, reopenedListener

    /// One bit.
    var bit: UInt128 { 1 << UInt128(rawValue) }
}

/// A set of features.
package struct Features: Sendable {
    private var bits: UInt128 = 0

    /// None.
    package init() {}

    mutating func insert(_ feature: Feature) { bits |= feature.bit }

    /// Adds those of another set.
    package mutating func formUnion(_ other: Features) { bits |= other.bits }

    /// Whether it is there.
    package func contains(_ feature: Feature) -> Bool { bits & feature.bit != 0 }
}
