package import SockDiag
package import SocketValues
package import TCPDiagnosis

/// Counts the sockets that there are at one time: the gauges of the ``Catalogue`` that are about sockets.
///
/// Its memory is bounded, however many sockets, peers and processes there are. Listeners are visited before anything else:
/// by them it is known what was accepted, where nobody has seen which side opened a connection.
package struct SocketGauges: Sendable {
    /// What sockets are counted by, beside their states, where that is asked for.
    package enum Grouping: String, CaseIterable, Sendable {
        case localPort = "local-port"
        case destination, process
    }

    /// What is reported.
    package struct Options: Sendable {
        /// What sockets are counted by as well.
        package var groupings: Set<Grouping> = []
        /// The local ports that are counted by; where there are none, those that are listened on.
        package var ports: Set<UInt16> = []
        /// The most groups of one metric; those beyond are counted as `other`.
        package var cap = 100
        /// Whether visits say since when a state lasts.
        package var hasAges = false
        /// Whether visits say what is in the queues.
        package var hasQueues = false

        package init() {}
    }

    /// A socket, as it is now.
    package struct Visit: Sendable {
        package var identity: SocketIdentity
        package var state: TCPState
        package var openedBy: OpeningSide
        /// When the state began, monotonic nanoseconds; where it began before anybody looked, when that was.
        package var since: UInt64?
        /// Of a listener the connections that wait for `accept()`, and how many may.
        package var (receiveQueue, sendQueue): (UInt32, UInt32)
        /// The process that holds it; nil where nobody is known.
        package var process: ProcessName?

        package init(
            _ identity: SocketIdentity,
            in state: TCPState,
            openedBy: OpeningSide = .unknown,
            since: UInt64? = nil,
            receiveQueue: UInt32 = 0,
            sendQueue: UInt32 = 0,
            process: ProcessName? = nil
        ) {
            (self.identity, self.state, self.openedBy, self.since) = (identity, state, openedBy, since)
            (self.receiveQueue, self.sendQueue, self.process) = (receiveQueue, sendQueue, process)
        }

        /// A socket of a dump.
        package init(_ socket: borrowing some SocketFields & ~Escapable, process: ProcessName? = nil) {
            self.init(
                socket.identity,
                in: socket.state,
                receiveQueue: socket.receiveQueue,
                sendQueue: socket.sendQueue,
                process: process
            )
        }
    }

    private let options: Options
    private let settings: KernelSettings
    private let ephemeralPorts: ClosedRange<UInt16>?
    private let (countsServices, countsDestinations, countsProcesses): (Bool, Bool, Bool)
    /// Monotonic nanoseconds.
    private let now: UInt64

    private var sockets = [[UInt64]](repeating: [UInt64](repeating: 0, count: TCPState.allCases.count), count: 2)
    private var beginnings = [UInt64?](repeating: nil, count: TCPState.allCases.count)
    private var (unread, unacknowledged): (UInt64, UInt64) = (0, 0)
    private var listeners: [SocketEndpoint: ListenerQueues] = [:]
    private var otherListeners = ListenerQueues()
    private var uncountedListeners: UInt64 = 0
    /// A bit for each port.
    private var listeningPorts = [UInt64](repeating: 0, count: 1024)
    private var routes = GroupCounts<Route>()
    private var services = GroupCounts<UInt16>()
    private var destinations = GroupCounts<SocketEndpoint>()
    private var processes = GroupCounts<String>()

    /// The queues of all listeners of an endpoint.
    private struct ListenerQueues {
        var (accept, acceptLimit): (UInt64, UInt64) = (0, 0)
        var (halfOpen, halfOpenLimit): (UInt64, UInt64) = (0, 0)

        /// How full the fuller one is.
        var fullness: Double {
            max(Double(accept) / Double(max(acceptLimit, 1)), Double(halfOpen) / Double(max(halfOpenLimit, 1)))
        }

        mutating func add(_ other: ListenerQueues) {
            accept &+= other.accept
            acceptLimit &+= other.acceptLimit
            halfOpen &+= other.halfOpen
            halfOpenLimit &+= other.halfOpenLimit
        }
    }

    /// Connections of one address to one destination share the local ports.
    private struct Route: Hashable {
        let from: IPAddress
        let to: SocketEndpoint

        /// Odd numbers that nobody knows, so that nobody chooses addresses that meet in one place.
        private static let factors = (0..<4).map { _ in UInt64.random(in: .min ... .max) | 1 }

        /// A single word: it is most of what a socket costs here.
        func hash(into hasher: inout Hasher) {
            let (from, to, factors) = (from.bits, to.address.bits, Self.factors)
            let ends = (from.0 &* factors[0]) ^ (from.1 &* factors[1]) ^ (to.0 &* factors[2]) ^ (to.1 &* factors[3])
            hasher.combine(ends &+ UInt64(self.to.port))
        }
    }

    /// More listeners than any machine has.
    private static let mostListeners = 1 << 16

    /// Nothing is counted yet. The time is in monotonic nanoseconds.
    package init(_ options: Options = Options(), settings: KernelSettings, at now: UInt64 = 0) {
        (self.options, self.settings, self.now) = (options, settings, now)
        ephemeralPorts = settings.ephemeralPorts
        let groupings = options.groupings
        (countsServices, countsDestinations) = (groupings.contains(.localPort), groupings.contains(.destination))
        countsProcesses = groupings.contains(.process)
    }

    /// Counts a socket.
    package mutating func count(_ visit: Visit) {
        guard let place = visit.state.place else { return }
        sockets[visit.identity.family == .ipv6 ? 1 : 0][place] &+= 1
        if let since = visit.since { beginnings[place] = min(beginnings[place] ?? .max, since) }
        if visit.state == .listen {
            noteListener(visit)
        } else {
            unread &+= UInt64(visit.receiveQueue)
            unacknowledged &+= UInt64(visit.sendQueue)
            if visit.state == .synReceived || visit.state == .newSynReceived { noteRequest(visit) }
        }
        // A socket whose connection is over is in no list of the kernel's.
        if visit.state != .closed { countGroups(visit, place) }
    }

    private mutating func noteListener(_ visit: Visit) {
        let queues = ListenerQueues(
            accept: UInt64(visit.receiveQueue),
            acceptLimit: UInt64(visit.sendQueue),
            halfOpen: 0,
            halfOpenLimit: UInt64(max(settings.halfOpenLimit(backlog: Int(visit.sendQueue)), 0))
        )
        let local = visit.identity.local
        listeningPorts[Int(local.port >> 6)] |= 1 << UInt64(local.port & 63)
        if listeners.count >= Self.mostListeners, listeners[local] == nil {
            otherListeners.add(queues)
            uncountedListeners += 1
        } else {
            listeners[local, default: ListenerQueues()].add(queues)
        }
    }

    /// A half-open request that no listener has is that of one that has closed, or the other side of a simultaneous open.
    private mutating func noteRequest(_ visit: Visit) {
        guard visit.openedBy != .active else { return }
        if let listener = visit.identity.local.listener(isThere: { listeners[$0] != nil }) {
            listeners[listener]?.halfOpen &+= 1
        } else if uncountedListeners > 0 {
            otherListeners.halfOpen &+= 1
        }
    }

    private mutating func countGroups(_ visit: Visit, _ place: Int) {
        let port = visit.identity.local.port
        if countsServices, isService(port) { services.add(port, place) }
        if countsProcesses { countProcess(visit.process, place) }
        guard visit.identity.remote.port != 0, isOpenedHere(visit) else { return }
        let destination = visit.identity.remote.unmapped
        if countsDestinations { destinations.add(destination, place) }
        guard let ephemeralPorts, ephemeralPorts.contains(port) else { return }
        routes.add(Route(from: visit.identity.local.address.unmapped, to: destination), place)
    }

    /// Names are counted as they are written, so that none is written twice: what is no UTF-8 in them is replaced.
    private mutating func countProcess(_ name: ProcessName?, _ place: Int) {
        let text = name?.text ?? "unknown"
        if text == "other" { processes.addOther(place) } else { processes.add(text, place) }
    }

    private func isService(_ port: UInt16) -> Bool {
        options.ports.isEmpty ? isListening(port) : options.ports.contains(port)
    }

    private func isListening(_ port: UInt16) -> Bool { listeningPorts[Int(port >> 6)] >> UInt64(port & 63) & 1 != 0 }

    /// Whether a connection was opened here; where nobody has seen it, the port tells, as for the doctor.
    private func isOpenedHere(_ visit: Visit) -> Bool {
        switch visit.openedBy {
        case .active: true
        case .passive: false
        case .unknown:
            visit.state != .synReceived && visit.state != .newSynReceived
                && ephemeralPorts?.contains(visit.identity.local.port) == true
                && !isListening(visit.identity.local.port)
        }
    }
}

extension SocketGauges {
    private typealias Sample = MetricFamily.Sample

    /// What was counted, as the ``Catalogue`` has it.
    package var families: [MetricFamily] {
        var families = [
            MetricFamily(
                Catalogue.sockets,
                zip(["ipv4", "ipv6"], sockets).flatMap { family, counts in
                    zip(TCPState.allCases, counts).map { Sample([family, $0.metricLabel], .count($1)) }
                }
            )
        ]
        if options.hasAges { families.append(ages) }
        if options.hasQueues {
            let samples = [Sample(["receive"], .count(unread)), Sample(["send"], .count(unacknowledged))]
            families.append(MetricFamily(Catalogue.queued, samples))
        }
        var limited: [Sample] = []
        families += listenerFamilies(&limited)
        families.append(destinationPorts)
        if options.groupings.contains(.localPort) {
            let samples = samples(of: services, Catalogue.serviceSockets, others: ["other"], &limited) { ["\($0)"] }
            families.append(MetricFamily(Catalogue.serviceSockets, samples))
        }
        if options.groupings.contains(.destination) {
            let samples = samples(
                of: destinations,
                Catalogue.destinationSockets,
                others: Self.others,
                &limited,
                Self.labels
            )
            families.append(MetricFamily(Catalogue.destinationSockets, samples))
        }
        if options.groupings.contains(.process) {
            let samples = samples(of: processes, Catalogue.processSockets, others: ["other"], &limited) { [$0] }
            families.append(MetricFamily(Catalogue.processSockets, samples))
        }
        families.append(MetricFamily(Catalogue.groupsLimited, limited))
        return families
    }

    private var ages: MetricFamily {
        let states = TCPState.allCases.filter { ![.listen, .bound, .established].contains($0) }
        return MetricFamily(
            Catalogue.oldest,
            states.map { state in
                let since = state.place.flatMap { beginnings[$0] } ?? now
                return Sample([state.metricLabel], .number(Double(now - min(since, now)) / 1e9))
            }
        )
    }

    private func listenerFamilies(_ limited: inout [Sample]) -> [MetricFamily] {
        var ranked = listeners.map { (endpoint: $0.key, queues: $0.value) }
        // The fullest are shown, and where nothing is full, always the same.
        ranked.sort {
            let (first, second) = ($0.queues.fullness, $1.queues.fullness)
            return first != second ? first > second : $0.endpoint.precedes($1.endpoint)
        }
        let isLimited = ranked.count > options.cap || uncountedListeners > 0
        let shown = isLimited ? ranked.prefix(max(options.cap - 1, 0)) : ranked[...]
        var rows = shown.map { (labels: Self.labels($0.endpoint), queues: $0.queues) }
        rows.sort { $0.labels.lexicographicallyPrecedes($1.labels) }
        if isLimited {
            var others = otherListeners
            for listener in ranked.dropFirst(shown.count) { others.add(listener.queues) }
            rows.append((Self.others, others))
        }
        let hidden = uncountedListeners + UInt64(ranked.count - shown.count)
        limited.append(Sample([Catalogue.acceptQueue.text], .count(hidden)))
        func family(_ metric: Metric, _ value: (ListenerQueues) -> UInt64) -> MetricFamily {
            MetricFamily(metric, rows.map { Sample($0.labels, .count(value($0.queues))) })
        }
        return [
            family(Catalogue.acceptQueue, \.accept), family(Catalogue.acceptQueueLimit, \.acceptLimit),
            family(Catalogue.halfOpen, \.halfOpen), family(Catalogue.halfOpenLimit, \.halfOpenLimit),
        ]
    }

    private var destinationPorts: MetricFamily {
        var most: [SocketEndpoint: UInt64] = [:]
        for (route, ports) in routes.totals { most[route.to] = max(most[route.to] ?? 0, ports) }
        let fullest = most.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key.precedes($1.key) }
        return MetricFamily(
            Catalogue.destinationPorts,
            fullest.prefix(10).map { Sample(Self.labels($0.key), .count($0.value)) }
        )
    }

    /// The groups of a metric, each with all states.
    private func samples<Key>(
        of groups: GroupCounts<Key>,
        _ metric: Metric,
        others: [String],
        _ limited: inout [Sample],
        _ labels: (Key) -> [String]
    ) -> [Sample] {
        let shown = groups.shown(cap: options.cap) { labels($0).lexicographicallyPrecedes(labels($1)) }
        var rows = shown.groups.map { (labels: labels($0.key), counts: $0.counts) }
        if let counts = shown.others { rows.append((others, counts)) }
        limited.append(Sample([metric.text], .count(shown.otherCount)))
        return rows.flatMap { row in
            TCPState.allCases.enumerated().filter { $0.element != .closed }.map { place, state in
                Sample(row.labels + [state.metricLabel], .count(UInt64(row.counts[place])))
            }
        }
    }

    private static let others = ["other", "other"]

    private static func labels(_ endpoint: SocketEndpoint) -> [String] {
        let scope = endpoint.scope.map { "%\($0.rawValue)" } ?? ""
        return ["\(endpoint.address)\(scope)", "\(endpoint.port)"]
    }
}

extension SocketEndpoint {
    /// By address, then by port.
    fileprivate func precedes(_ other: SocketEndpoint) -> Bool {
        if address != other.address { return address < other.address }
        if port != other.port { return port < other.port }
        return (scope?.rawValue ?? 0) < (other.scope?.rawValue ?? 0)
    }
}
