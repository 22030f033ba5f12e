internal import BPF
internal import ConnectionTracking
internal import Glibc
internal import KernelTrace
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

/// A traced watcher without its thread and its clock: it reads the ring and asks the kernel when the test says so.
final class TraceWatch {
    private let watcher: NamespaceWatcher
    private let trace: TraceReader
    private let collector: EventCollector
    /// The sockets that existed.
    var existing: [WatchedSocket] { collector.sockets }
    /// What was lost so far.
    var gaps: [Gap] { collector.gaps }

    /// Watches a lab, and has polled once; or the current test is cancelled where the kernel may not be traced.
    init(_ lab: Lab, _ configure: (inout SocketWatcher.Configuration) -> Void = { _ in }) throws {
        try Self.cancelUnlessPermitted()
        var configuration = SocketWatcher.Configuration()
        configuration.source = .trace
        configure(&configuration)
        let collector = try EventCollector(configuration)
        let made = try lab.run {
            let trace = try TraceReader.make(configuration).trace
            return (trace, try NamespaceWatcher(configuration, trace: trace, stream: collector.stream))
        }
        self.collector = collector
        trace = try #require(made.0)
        watcher = made.1
        trace.serve([watcher])
        try watcher.begin { [trace] in trace.drain() }
        settle()
    }

    static func cancelUnlessPermitted() throws {
        let support = BPFSupport.here()
        if !support.isComplete { try Test.cancel(Comment(rawValue: support.description)) }
    }

    /// What is known, by cookie.
    var known: [SocketCookie: TCPState] { watcher.known }

    /// Whether the kernel gives reasons for the RSTs that it sends.
    var namesResets: Bool { !trace.resetReasons.isEmpty }

    /// Asks who holds what is new.
    func resolveOwners() { watcher.resolveOwners() }

    /// What the kernel has reported until now. Nothing more belongs to it: each call of a test has been dealt with.
    func receive() -> [Transition] {
        trace.drain()
        watcher.takeWaiting()
        return collector.take()
    }

    /// What a dump of all sockets finds, where need be with a second dump of what it contradicts.
    func poll() throws -> [Transition] { try dump(.all) }

    /// What a dump of half-open requests finds.
    func pollHandshakes() throws -> [Transition] { try dump(.handshakes) }

    private func dump(_ scope: DumpScope) throws -> [Transition] {
        try watcher.dump(scope) { [trace] in trace.drain() }
        settle()
        return collector.take()
    }

    /// Asks for what is due as time passes, until something that fits is reported.
    func wait(
        within limit: Duration = .seconds(30),
        until fits: (Transition) -> Bool
    ) throws -> [Transition] {
        var reported = receive()
        let deadline = ContinuousClock.now + limit
        while !reported.contains(where: fits), .now < deadline {
            settle()
            reported += collector.take()
            usleep(1000)
            reported += receive()
        }
        return reported
    }

    /// Asks all that there is to be asked now.
    private func settle() {
        repeat { watcher.lookUp { [trace] in trace.drain() } } while watcher.hasLookups
    }
}
