public import SocketValues

extension ContinuousClock.Instant {
    /// The instant of an event's time, by how far apart both clocks are now.
    ///
    /// The clock counts suspends, and the event's does not. Where the machine has been suspended since the event, the instant
    /// is later than the event by so much; `SuspendingClock.Instant(_:)` is always exact.
    public init(_ time: EventTime) {
        self = .now.advanced(by: EventTime.now().duration(to: time))
    }
}

extension EventTime {
    /// The moment of an instant, by how far apart the clocks are now.
    ///
    /// Where the machine has been suspended since the instant, or its wall time was set, the times are those that the clocks would have
    /// shown without that.
    public init(_ instant: ContinuousClock.Instant) {
        self = .now().advanced(by: ContinuousClock.now.duration(to: instant))
    }

    /// The moment of an instant: its monotonic time exactly, its wall time by how far apart both clocks are now.
    public init(_ instant: SuspendingClock.Instant) {
        self = EventTime.now().at(SuspendingClock().systemEpoch.duration(to: instant).nanoseconds)
    }
}
