package import SocketValues

/// Something that a tracker must not do.
package struct Violation: Sendable {
    /// What is broken: the invariant, by its number in the design, and how.
    package enum Kind: String, Sendable, CaseIterable {
        // 1: a walk of the state machine, ended once, in time.
        case unknownCookie, wrongBeginning, wrongIncarnation, doesNotFollow, illegalStep, afterTheEnd, neverEnds
        case timeGoesBack, fromTheFuture, wrongTimeInState, beforeReady, readyTwice
        // 2: certainty.
        case exactUnreported, exactWithVia, exactAtWrongTime, inferredThoughReported, derivedTooEarly
        // 3: the truth.
        case neverHappened, reportedTooEarly, reportedWhenOver, reportedTwice, unreported, transitionUnreported,
            wrongCause, causeUnreported
        case wrongPid, pidUnreported, wrongReason, wrongCounters, countersUnreported, wrongSide, wrongDuration
        // 4: losses and the table.
        case wrongLoss, tableDiffers
        // 5 and 6.
        case notEmpty, noProgress, notReproduced
        case modelIsWrong
    }

    /// What is broken.
    package var kind: Kind
    /// How.
    package var detail: String
    /// When, monotonic nanoseconds.
    package var time: UInt64
    /// The sockets that it is about.
    package var cookies: [SocketCookie]
}

extension Violation: CustomStringConvertible {
    package var description: String { "\(kind.rawValue) at \(time / 1000)µs: \(detail)" }
}
