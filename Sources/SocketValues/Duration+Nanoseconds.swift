extension Duration {
    /// Whole nanoseconds; 0 for what is negative, the greatest number for what is too long: nothing lasts either.
    package var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        return overflow || carry ? .max : sum
    }
}

extension Duration {
    /// So many nanoseconds, all of which have a duration.
    package init(nanoseconds: UInt64) {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.init(secondsComponent: Int64(seconds), attosecondsComponent: Int64(rest) * 1_000_000_000)
    }
}

extension UInt64 {
    /// A moment that is so much later, nanoseconds; the end of time where that does not fit.
    package func later(by duration: Duration) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(duration.nanoseconds)
        return overflow ? .max : sum
    }
}

extension Int32 {
    /// The timeout of `poll(2)` that lasts so many nanoseconds, or a little longer.
    package init(pollingFor nanoseconds: UInt64) {
        self.init(clamping: nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1))
    }
}
