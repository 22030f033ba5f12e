internal import ConnectionTracking
internal import SockDiag

/// Turns what trackers report into the events of a watcher: adds the namespace, the owners and the time, leaves out the
/// states that nobody asked for, and reports once that all that existed was reported.
///
/// A watcher and the replay of its journal do it by the same code, and so deliver the same events.
struct EventDelivery {
    /// Only transitions that leave, enter or pass one of these states, and sockets in one of them.
    let states: TCPStateSet
    /// The namespaces whose sockets are still being reported.
    private var awaited: Set<UInt32> = []

    /// Whether all that existed has been reported once. A namespace that comes later is reported without another `ready`.
    private var isReady = false

    init(states: TCPStateSet) { self.states = states }

    /// The sockets of a namespace will be reported: it begins, or they are to be reported anew
    /// (`Input.Fact.resynchronize`), which a journal holds as ``JournalEntry/socketsExpected(watcher:)``.
    mutating func expectSockets(of watcher: UInt32, anew: Bool = false) {
        if anew || !isReady { awaited.insert(watcher) }
    }

    /// Nothing more comes of a namespace. Where all others only waited for it, they are ready.
    mutating func end(_ watcher: UInt32) -> SocketEvent? {
        arrive(watcher)
    }

    private mutating func arrive(_ watcher: UInt32) -> SocketEvent? {
        guard awaited.remove(watcher) != nil, awaited.isEmpty else { return nil }
        isReady = true
        return .ready
    }

    /// The event of an output; nil where it is none, or none that was asked for.
    ///
    /// - Parameters:
    ///   - output: What a tracker reports.
    ///   - watcher: The number of its namespace.
    ///   - namespace: Its namespace, where namespaces were named.
    ///   - time: That of the input that the output followed from.
    ///   - owners: Who holds the socket of a cookie, as far as it is known.
    ///   - sockets: What the kernel said of the sockets that exist.
    /// - Returns: What the watcher's reader is given.
    mutating func event(
        for output: Output,
        of watcher: UInt32,
        in namespace: NetworkNamespace?,
        at time: EventTime,
        owners: (SocketCookie) -> [SocketOwner],
        sockets: ExistingSockets
    ) -> SocketEvent? {
        switch output {
        case .transition(var transition):
            guard isAsked(transition) else { return nil }
            transition.namespace = namespace
            // A process that has no number here: the bits are its namespace's, as the tracepoint has reported it.
            if let caller = transition.pid, caller < 0 {
                transition.pid = nil
                transition.pidNamespace = caller == -1 ? nil : UInt32(bitPattern: caller)
            }
            transition.owners = owners(transition.identity.cookie)
            return .transition(transition)
        case .socket(let tracked):
            guard states.contains(tracked.state) else { return nil }
            var socket = WatchedSocket(socket: sockets[tracked], namespace: namespace)
            socket.incarnation = tracked.incarnation
            socket.owners = owners(tracked.name.cookie)
            socket.time = time
            return .socket(socket)
        case .ready:
            return arrive(watcher)
        case .gap(let gap): return .gap(complete(gap, of: namespace, at: time))
        case .lookUp, .dump: return nil
        }
    }

    /// The event of something that was sent again; nil where its state was not asked for.
    func event(for retransmission: Retransmission, in namespace: NetworkNamespace?) -> SocketEvent? {
        guard states.contains(retransmission.state) else { return nil }
        var retransmission = retransmission
        retransmission.namespace = namespace
        return .retransmission(retransmission)
    }

    /// A gap with what a tracker does not know. What was lost of the records is of all namespaces.
    func complete(_ gap: Gap, of namespace: NetworkNamespace?, at time: EventTime) -> Gap {
        var gap = gap
        if gap.source != .trace, gap.namespace == nil { gap.namespace = namespace }
        if gap.time == nil { gap.time = time }
        return gap
    }

    private func isAsked(_ transition: Transition) -> Bool {
        states.contains(transition.to) || transition.from.map(states.contains) ?? false
            || transition.via.contains(where: states.contains)
    }
}
