internal import ConnectionTracking
internal import SockDiag
public import SocketValues

/// The events that a watcher delivered, from its journal: on any machine, without privilege.
///
/// Every input is given to a tracker of its namespace, in order; so all but owners and names is what it was, byte for
/// byte. What the watcher's own reader was too slow for is delivered too.
public struct JournalReplay: ~Copyable {
    private let reader: JournalReader
    private let reportsExisting: Bool
    private var delivery: EventDelivery
    private var namespaces: [UInt32: ReplayedNamespace] = [:]
    private var outputs: [Output] = []
    private var pending: [SocketEvent] = []
    private var failure: KernelError?
    private var isAtEnd = false
    /// The time of the latest input.
    public private(set) var time: EventTime
    /// How many sockets are known, in all namespaces.
    public var socketCount: Int { namespaces.values.reduce(0) { $0 + $1.tracker.count } }

    /// So many events are delivered at once.
    private static let batch = 1024

    /// What is said of a file that is no journal: how one is made is for the program to say.
    public static let remedyForOtherFiles = "a journal is made by a watcher"

    /// Opens a journal that this version has written.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - version: The version of this program.
    ///   - reportsExisting: Whether the sockets that existed at the beginning are delivered; nil for as it was.
    /// - Throws: ``/SockDiag/KernelError``.
    public init(path: String, version: String, reportsExisting: Bool? = nil) throws(KernelError) {
        // Swift 6.3.1 in a release build destroys what a closure, as that of ??, reads of a value that is not whole yet.
        let reader = try JournalReader(path: path, version: version)
        let header = reader.header
        self.reader = reader
        self.reportsExisting = reportsExisting ?? header.reportsExisting
        delivery = EventDelivery(states: header.states)
        time = header.start
    }

    /// What the journal says of itself.
    public var header: JournalHeader { reader.header }

    /// The next events; none at the end.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where the journal is cut short or damaged, when all before that is delivered.
    public mutating func next() throws(KernelError) -> [SocketEvent] {
        while pending.count < Self.batch, failure == nil, !isAtEnd {
            do throws(KernelError) {
                guard let entry = try reader.next() else {
                    isAtEnd = true
                    break
                }
                try take(entry)
            } catch {
                failure = error
            }
        }
        if pending.isEmpty, let failure { throw failure }
        var events: [SocketEvent] = []
        swap(&events, &pending)
        return events
    }

    private mutating func take(_ entry: JournalEntry) throws(KernelError) {
        switch entry {
        case .namespace(let number, let namespace, var configuration):
            configuration.reportsExisting = reportsExisting
            namespaces[number] = ReplayedNamespace(namespace, configuration)
            delivery.expectSockets(of: number)
        case .namespaceEnded(let number):
            namespaces[number] = nil
            if let event = delivery.end(number) { pending.append(event) }
        case .socketsExpected(let number): delivery.expectSockets(of: number, anew: true)
        case .input(let number, let input): take(input, of: number)
        case .message(let number, let message): namespaces[number]?.sockets.note(try InetSocket(message: message))
        case .owners(let number, let cookie, let owners): namespaces[number]?.owners[cookie] = owners
        case .gap(let number, var gap):
            let watched = number.flatMap { namespaces[$0] }
            gap.namespace = watched?.namespace
            pending.append(.gap(gap))
        case .retransmission(let number, var retransmission):
            guard let watched = namespaces[number] else { return }
            time = retransmission.time
            retransmission.owners = watched.owners[retransmission.identity.cookie] ?? []
            if let event = delivery.event(for: retransmission, in: watched.namespace) { pending.append(event) }
        case .slowed(let interval, let time): pending.append(.slowed(interval, at: time))
        case .end: break
        }
    }

    private mutating func take(_ input: Input, of number: UInt32) {
        guard let watched = namespaces[number] else { return }
        time = input.time
        watched.tracker.take(input, into: &outputs)
        for output in outputs {
            let event = delivery.event(
                for: output,
                of: number,
                in: watched.namespace,
                at: input.time,
                owners: { watched.owners[$0] ?? [] },
                sockets: watched.sockets
            )
            if output == .ready { watched.sockets.removeAll() }
            guard let event else { continue }
            pending.append(event)
            if case .transition(let transition) = event, transition.to == .closed {
                watched.owners[transition.identity.cookie] = nil
            }
        }
        outputs.removeAll(keepingCapacity: true)
    }
}

/// One network namespace of a journal.
private final class ReplayedNamespace {
    let namespace: NetworkNamespace?
    var tracker: ConnectionTracking.ConnectionTracker
    var sockets = ExistingSockets()
    var owners: [SocketCookie: [SocketOwner]] = [:]

    init(_ namespace: NetworkNamespace?, _ configuration: TrackerConfiguration) {
        self.namespace = namespace
        tracker = ConnectionTracking.ConnectionTracker(configuration)
    }
}
