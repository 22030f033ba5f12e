internal import ConnectionTracking
internal import Foundation
internal import KernelTrace
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

/// Makes one journal of the corpus: a watcher of a lab that writes down what it learns, and does so when a scenario says.
final class JournalRecorder {
    let lab: Lab
    let mode: Scenario.Mode
    private let name: String
    private let delivered = Delivered()
    private var watch: Watch?
    private var start = EventTime(monotonicNanoseconds: 0, realtimeNanoseconds: 0)

    /// What drives the tracker, once it has begun.
    private struct Watch {
        let watcher: NamespaceWatcher
        let trace: TraceReader?
        let stream: WatchStream

        func drain() { trace?.drain() }
    }

    private final class Delivered {
        var events: [SocketEvent] = []
    }

    init(_ lab: Lab, _ mode: Scenario.Mode, _ name: String) { (self.lab, self.mode, self.name) = (lab, mode, name) }

    /// What has been reported.
    var reported: [Transition] {
        watch?.stream.flush()
        return delivered.events.compactMap { if case .transition(let transition) = $0 { transition } else { nil } }
    }

    /// What was lost.
    var gaps: [Gap] {
        watch?.stream.flush()
        return delivered.events.compactMap { if case .gap(let gap) = $0 { gap } else { nil } }
    }

    /// Watching begins: what exists by now is reported as that.
    func begin(_ configure: (inout SocketWatcher.Configuration) -> Void = { _ in }) throws {
        var configuration = SocketWatcher.Configuration()
        configuration.source = mode == .trace ? .trace : .poll
        configuration.interval = .milliseconds(100)
        (configuration.reconciliationInterval, configuration.reconciliationBudget) = (.milliseconds(500), 1)
        // The chunks are written by the stream; nobody reads of a failure, for the journal is read in the end.
        configuration.journal = JournalDestination(path: Corpus.journal(name), version: Corpus.version) { _ in }
        configure(&configuration)
        let setup = configuration
        let header = header(setup)
        start = header.start
        let (trace, stream, watcher) = try lab.run { [delivered] in
            let trace = try TraceReader.make(setup).trace
            let stream = try WatchStream(setup, header: header) { events, _ in delivered.events += events }
            return (trace, stream, try NamespaceWatcher(setup, trace: trace, stream: stream))
        }
        stream.delivery.expectSockets(of: 0)
        let watch = Watch(watcher: watcher, trace: trace, stream: stream)
        self.watch = watch
        trace?.serve([watcher])
        try watcher.begin(watch.drain)
        try pass()
    }

    /// Of the machine it has the kernel's version, and nothing else.
    private func header(_ configuration: SocketWatcher.Configuration) -> JournalHeader {
        var header = JournalHeader(
            configuration,
            version: Corpus.version,
            isTracing: mode == .trace,
            refusal: nil
        )
        header.kernel = String(header.kernel.prefix { $0.isNumber || $0 == "." })
        header.bootID = ""
        return header
    }

    private var current: Watch {
        get throws { try #require(watch, "the scenario does not begin to watch") }
    }

    /// What a watcher's thread does, over and over: reads what was reported, asks what it wants to know, dumps when it
    /// is time.
    func pass(_ duration: Duration = .milliseconds(20)) throws {
        let watch = try current
        let end = ContinuousClock.now + duration
        repeat {
            watch.drain()
            watch.watcher.receive()
            watch.watcher.lookUp(watch.drain)
            _ = watch.watcher.dumpIfDue(watch.drain)
            watch.stream.flush()
            if ContinuousClock.now < end { usleep(1000) }
        } while ContinuousClock.now < end
    }

    /// A dump of all sockets, and what it brings about.
    func poll() throws {
        let watch = try current
        try watch.watcher.dump(.all, watch.drain)
        try pass()
    }

    /// Goes on until a transition is reported that ends so: `FIN_WAIT_2>TIME_WAIT`, `>CLOSED`.
    func wait(for suffix: String, count: Int = 1, within limit: Duration = .seconds(20)) throws {
        let deadline = ContinuousClock.now + limit
        while reported.paths.count(where: { $0.hasSuffix(suffix) }) < count {
            let paths = reported.paths
            try #require(ContinuousClock.now < deadline, "\(count) \(suffix) are not reported, but \(paths)")
            try pass(.milliseconds(10))
        }
    }

    /// Reads nothing until the kernel has had to drop messages, which it sends from a thread of its own.
    func awaitLostMessages() throws {
        let watcher = try current.watcher
        let deadline = ContinuousClock.now + .seconds(20)
        while watcher.lostCount ?? 0 == 0, ContinuousClock.now < deadline { sched_yield() }
    }

    /// The state is reported anew, as for a reader who was too slow: the sockets, then ready.
    func resynchronize() throws {
        try current.watcher.resynchronize()
        let deadline = ContinuousClock.now + .seconds(20)
        while readyCount < 2 {
            try #require(ContinuousClock.now < deadline, "the state is not reported anew")
            try pass(.milliseconds(10))
        }
    }

    private var readyCount: Int { delivered.events.count { if case .ready = $0 { true } else { false } } }

    /// Closes the journal, and writes beside it what was delivered: where that is the kernel's state in the end, is possible,
    /// and is what the journal is replayed to.
    func finish() throws {
        for _ in 0..<3 { try poll() }
        let watch = try current
        let (known, kernel) = (known(watch), try kernel())
        #expect(known == kernel, "what is known in the end, and what the kernel has")
        watch.stream.finish()
        let lines = EventLine.lines(delivered.events, since: start)
        let faults = EventOracle.faults(in: delivered.events, isTraced: mode == .trace)
        #expect(faults.isEmpty)
        #expect(EventLine.lines(try Corpus.replay(name).events, since: start) == lines)
        try Corpus.expect(lines, of: name)
    }

    private func known(_ watch: Watch) -> Set<String> {
        var known: Set<String> = []
        watch.watcher.tracker.forEach { known.insert("\($0.name.cookie) \($0.state)") }
        return known
    }

    private func kernel() throws -> Set<String> {
        try lab.run {
            var client = try SockDiagClient()
            return Set(try client.sockets().map { "\($0.cookie) \($0.state)" })
        }
    }
}
