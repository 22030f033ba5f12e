internal import Glibc
internal import KernelTrace
internal import SockDiag
internal import Synchronization

/// The watcher's thread where the kernel reports the steps: it waits for records, and for what is due to be asked.
extension WatchLoop {
    /// After so many records at once, the next are awaited for a moment: a wake-up for each would cost more.
    private static let storm = 64
    private static let pause: Int32 = 4  // milliseconds
    /// From one look whether the namespaces are still there to the next, nanoseconds.
    private static let census: UInt64 = 1_000_000_000

    /// The trace where it was asked for and is to be had, or why not.
    static func feed(
        _ configuration: SocketWatcher.Configuration
    ) throws(SockDiagError) -> (feed: TraceFeed?, refusal: SockDiagError?) {
        guard configuration.source != .poll else { return (nil, nil) }
        do throws(SockDiagError) {
            let support = TraceSupport.here()
            guard support.isComplete else { throw SockDiagError(tracing: support) }
            return (try TraceFeed(try filter(configuration), ringSize: configuration.traceBufferSize), nil)
        } catch {
            guard configuration.source == .auto else { throw error }
            return (nil, error)
        }
    }

    /// What of the configuration the programs can test.
    private static func filter(_ configuration: SocketWatcher.Configuration) throws(SockDiagError) -> TraceFilter {
        if let filter = configuration.filter, !filter.isTraceable {
            throw SockDiagError(
                .invalidRequest,
                operation: "answer the filter by the trace",
                detail: "dumps alone tell what it asks for",
                remedy: "leave out the source, or watch by dumps"
            )
        }
        if configuration.source == .auto, configuration.filter?.asksOwners == true {
            throw SockDiagError(
                .invalidRequest,
                operation: "answer the filter by the trace",
                detail: "dumps tell better who holds a socket"
            )
        }
        var namespaces = configuration.namespaces
        if namespaces.isEmpty { namespaces = [try NetworkNamespace.current] }
        var filter = TraceFilter()
        filter.namespaces = namespaces.map { UInt32(truncatingIfNeeded: $0.inode) }
        filter.family = configuration.family
        if let ports = configuration.filter?.necessaryPorts {
            (filter.localPorts, filter.remotePorts) = (ports.local, ports.remote)
        }
        filter.dropsOneOf = configuration.dropsOneRecordOf
        return filter
    }

    func watch(_ owned: inout Belongings, by feed: TraceFeed) throws(SockDiagError) {
        var nextCensus: UInt64 = 0
        // One that could not be begun hears nothing more.
        feed.serve(owned.lanes)
        while !owned.lanes.isEmpty {
            let records = feed.drain()
            let now = EventTime.now().monotonicNanoseconds
            let isCensus = nextCensus <= now
            let lost = feed.takeLost()
            let missed = isCensus ? feed.takeMissed() : 0
            owned.lanes.first?.tell(lost: lost)
            owned.lanes.first?.tell(missed: missed)
            if isCensus { nextCensus = now + Self.census }
            let count = owned.lanes.count
            try forEach(&owned.lanes) { lane throws(SockDiagError) in
                if lost + missed > 0 { lane.schedule.reconciliation.hasten() }
                try lane.takeTurn(feed)
                return isCensus ? try lane.isInhabited() : true
            }
            if owned.lanes.count != count { feed.serve(owned.lanes) }
            flush(owned)
            for lane in owned.lanes { lane.resolveOwners() }
            notePeriods(owned)
            let next = owned.lanes.map(\.nextTurn).min() ?? 0
            let isStorm = records >= Self.storm
            guard isOpen(owned, feed, until: min(next, nextCensus), isStorm: isStorm) else { return }
        }
    }

    private func notePeriods(_ owned: borrowing Belongings) {
        let all = owned.lanes.map(\.schedule.reconciliation.period).max() ?? 0
        let requests = owned.lanes.map(\.schedule.glance.period).max() ?? 0
        periods.withLock { $0 = (all, requests) }
    }

    /// Waits for records, for the time, or to be stopped; false if it was stopped.
    private func isOpen(
        _ owned: borrowing Belongings,
        _ feed: TraceFeed,
        until deadline: UInt64,
        isStorm: Bool
    ) -> Bool {
        var waited = [
            pollfd(fd: owned.stopped, events: Int16(POLLIN), revents: 0),
            pollfd(fd: feed.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        if isStorm {
            // Time passes, or it is stopped.
            _ = Glibc.poll(&waited, 1, Self.pause)
        } else {
            let now = EventTime.now().monotonicNanoseconds
            let rest = deadline > now ? deadline - now : 0
            _ = Glibc.poll(&waited, 2, Int32(pollingFor: rest))
        }
        return waited[0].revents == 0
    }
}

extension SocketFilter {
    /// Whether it asks which process holds a socket.
    fileprivate var asksOwners: Bool {
        externals.contains { if case .networkNamespace = $0 { false } else { true } }
    }
}
