import SockDiag
import TCPWatch

/// The rule "CLOSE_WAIT older than 60 s": the peer has closed a connection, and its program here does not.
///
/// It has no clock and asks nobody, so that its tests make the events and the time.
struct CloseWaitRule {
    /// A connection that is late to be closed.
    struct Alert: Equatable {
        var identity: SocketIdentity
        var since: EventTime
        var owners: [SocketOwner]
    }

    /// How long a connection may be in CLOSE_WAIT.
    var limit = Duration.seconds(60)
    private var waiting: [SocketCookie: Alert] = [:]
    /// What was known before events were lost, until it is reported anew.
    private var former: [SocketCookie: Alert] = [:]
    private var reported: Set<SocketCookie> = []

    init(limit: Duration = .seconds(60)) { self.limit = limit }

    mutating func handle(_ event: SocketEvent) {
        switch event {
        case .socket(let socket) where socket.state == .closeWait:
            // How long it has been so is not known: at least from now on.
            guard let seen = former[socket.cookie]?.since ?? socket.time else { break }
            waiting[socket.cookie] = Alert(identity: socket.identity, since: seen, owners: socket.owners)
        case .transition(let transition) where transition.to == .closeWait:
            let alert = Alert(identity: transition.identity, since: transition.time, owners: transition.owners)
            waiting[transition.identity.cookie] = alert
        case .transition(let transition):
            waiting[transition.identity.cookie] = nil
            reported.remove(transition.identity.cookie)
        case .gap(let gap) where gap.source == .reader: (former, waiting) = (waiting, [:])
        case .ready: former = [:]
        default: break
        }
    }

    /// The connections that have passed the limit by now, each once, the oldest first.
    mutating func alerts(at now: EventTime) -> [Alert] {
        let late = waiting.filter { $0.value.since.duration(to: now) >= limit && !reported.contains($0.key) }
        reported.formUnion(late.keys)
        return late.values.sorted { $0.since.monotonic < $1.since.monotonic }
    }
}
