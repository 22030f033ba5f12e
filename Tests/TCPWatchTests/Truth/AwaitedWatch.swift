internal import Dispatch
internal import LinuxSystem
internal import SockDiag
internal import Synchronization
internal import TCPStateLab
internal import TCPWatch
internal import Testing

/// A real watcher and its one reader: what is awaited comes in time, or is an error that says what came instead.
final class AwaitedWatch {
    /// What was awaited and did not come.
    struct Absent: Error, CustomStringConvertible {
        let description: String
    }

    let watcher: SocketWatcher
    private let limit: Duration
    private let interval: Duration
    private let inbox = Inbox()
    private var events: ArraySlice<SocketEvent> = []
    /// The sockets that existed.
    private(set) var existing: [WatchedSocket] = []
    private(set) var reported: [Transition] = []
    private(set) var gaps: [Gap] = []
    /// Whether ``reported`` grows; a reader of hundreds of thousands of transitions does without.
    var keepsTransitions = true

    /// Watches what the configuration names, or the lab's namespace; or the current test is cancelled where the kernel may
    /// not be traced. Dumps of all sockets come quickly.
    init(
        _ lab: Lab,
        _ source: SocketWatcher.Source,
        limit: Duration = .seconds(30),
        _ configure: (inout SocketWatcher.Configuration) -> Void = { _ in }
    ) throws {
        if source == .trace { try TraceWatch.cancelUnlessPermitted() }
        var configuration = SocketWatcher.Configuration.quick
        configuration.source = source
        configuration.reconciliationInterval = .milliseconds(50)
        configuration.reconciliationBudget = 1
        configure(&configuration)
        let setup = configuration
        let watcher = try lab.run { try SocketWatcher(setup) }
        (self.watcher, self.limit, interval) = (watcher, limit, configuration.interval)
    }

    deinit { watcher.stop() }

    /// Where a batch of events lies until it is awaited.
    private final class Inbox: Sendable {
        private let batch = Mutex<[SocketEvent]>([])
        private let arrival = DispatchSemaphore(value: 0)

        func put(_ events: [SocketEvent]) {
            batch.withLock { $0 = events }
            arrival.signal()
        }

        func take(within limit: Duration) -> [SocketEvent]? {
            let milliseconds = Int(limit.components.seconds * 1000)
            guard arrival.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else { return nil }
            return batch.withLock { $0 }
        }
    }

    /// The next event, which is also kept. The thread waits: a task that waited would also wait for the threads on which
    /// other tests wait, and no limit would say anything.
    @discardableResult
    func next(_ awaited: String) async throws -> SocketEvent {
        if events.isEmpty {
            watcher.receive(inbox.put)
            events = inbox.take(within: limit)?[...] ?? []
        }
        guard let event = events.popFirst() else {
            let last = reported.suffix(20).map { "\($0.identity.cookie)/\($0.incarnation) \($0.path)" }
            throw Absent(
                description: "\(awaited) did not come within \(limit); the last of \(reported.count): "
                    + last.joined(separator: ", ") + "; gaps: \(gaps.map(\.reason).joined(separator: ", "))"
            )
        }
        switch event {
        case .socket(let socket): existing.append(socket)
        case .transition(let transition): if keepsTransitions { reported.append(transition) }
        case .gap(let gap): gaps.append(gap)
        default: break
        }
        return event
    }

    /// Awaits that the sockets that existed have been reported.
    func begin() async throws {
        while true { if case .ready = try await next("ready") { return } }
    }

    /// Awaits a transition.
    @discardableResult
    func transition(_ awaited: String, where fits: (Transition) -> Bool) async throws -> Transition {
        while true {
            if case .transition(let transition) = try await next(awaited), fits(transition) { return transition }
        }
    }

    /// Awaits that what has been reported is enough, in whichever order it came.
    func reported(_ awaited: String, until isEnough: ([Transition]) -> Bool) async throws {
        while !isEnough(reported) { try await next(awaited) }
    }

    /// Awaits that a socket is in the state.
    @discardableResult
    func transition(of cookie: SocketCookie, to state: TCPState) async throws -> Transition {
        try await transition("\(state) of \(cookie)") { $0.identity.cookie == cookie && $0.to == state }
    }

    /// Awaits so many dumps, and what they report: each shows a bound socket, which no other source does. With
    /// tracepoints they are of all sockets; without them some are, the others leave out TIME_WAITs.
    func passDumps(_ count: Int, in lab: Lab, over network: LabNetwork = .ipv4) async throws {
        guard KernelRelease.running >= KernelRelease("6.8") else {
            return try await passTime(count, in: lab, over: network)
        }
        for _ in 0..<count {
            let socket = try lab.bound(over: network)
            let cookie = try socket.cookie()
            try await transition(of: cookie, to: .bound)
            socket.close()
            try await transition(of: cookie, to: .closed)
        }
    }

    /// Where bound sockets are in no dump: lets the time of so many dumps pass, and awaits what comes after it.
    private func passTime(_ count: Int, in lab: Lab, over network: LabNetwork) async throws {
        try await Task.sleep(for: max(interval, .milliseconds(50)) * (count + 1))
        let listener = try lab.listener(over: network)
        let cookie = try listener.cookie()
        try await transition(of: cookie, to: .listen)
        listener.close()
        try await transition(of: cookie, to: .closed)
    }

    /// The lives of a socket, as far as they have been reported.
    func lives(of cookie: SocketCookie) -> [ReportedLife] {
        ReportedLife.all(in: reported).filter { $0.cookie == cookie }
    }

    /// The gaps, but for what the kernel passed over while a program ran on the same processor. That is counted for all
    /// namespaces together, and the busier other tests are the more there is of it.
    var losses: [Gap] { gaps.filter { !$0.isPassedOver } }

    /// What is wrong with any life that was reported.
    var faults: [String] { ReportedLife.all(in: reported).flatMap(\.faults) }
}

/// One connection as it was reported, from the first transition to the last.
struct ReportedLife: CustomStringConvertible {
    let cookie: SocketCookie
    let incarnation: UInt8
    var transitions: [Transition] = []

    /// Every life, those of one cookie together and in order.
    static func all(in reported: [Transition]) -> [ReportedLife] {
        struct Key: Hashable {
            let namespace: NetworkNamespace?
            let cookie: SocketCookie
            let incarnation: UInt8
        }
        let groups = Dictionary(grouping: reported) {
            Key(namespace: $0.namespace, cookie: $0.identity.cookie, incarnation: $0.incarnation)
        }
        return groups.map { ReportedLife(cookie: $0.cookie, incarnation: $0.incarnation, transitions: $1) }
            .sorted { ($0.cookie.rawValue, $0.incarnation) < ($1.cookie.rawValue, $1.incarnation) }
    }

    /// The states that it entered.
    var path: [TCPState] { transitions.flatMap { $0.via + [$0.to] } }

    /// The two endpoints, as each transition names them; one pair where all name the same.
    var endpoints: [[SocketEndpoint]] {
        var pairs: [[SocketEndpoint]] = []
        for transition in transitions where pairs.last != [transition.identity.local, transition.identity.remote] {
            pairs.append([transition.identity.local, transition.identity.remote])
        }
        return pairs
    }

    var description: String { "\(cookie)/\(incarnation) \(transitions.paths.joined(separator: " "))" }

    /// Why it is no walk of the state machine that ends once and whose times never go back.
    var faults: [String] {
        var faults: [String] = []
        for (before, after) in zip(transitions, transitions.dropFirst()) {
            if after.from != before.to { faults.append("\(after.path) follows \(before.path)") }
            if before.to == .closed { faults.append("\(after.path) comes after the end") }
            if after.time.monotonicNanoseconds < before.time.monotonicNanoseconds {
                faults.append("\(after.path) lies before \(before.path)")
            }
        }
        for transition in transitions {
            let states = (transition.from.map { [$0] } ?? []) + transition.via + [transition.to]
            for (from, to) in zip(states, states.dropFirst()) where TCPStateMachine.step(from: from, to: to) == nil {
                faults.append("\(transition.path) goes from \(from) to \(to)")
            }
            if transition.via.contains(.closed) { faults.append("\(transition.path) ends on its way") }
        }
        return faults.map { "\(description): \($0)" }
    }
}
