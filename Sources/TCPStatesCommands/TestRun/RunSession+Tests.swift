internal import Glibc
internal import SockDiag
internal import SocketOwners
internal import TCPWatch

/// A socket that a test process held just before it ended.
struct TestRemains {
    let leak: SocketLeak
    /// When it was opened at the earliest and at the latest, monotonic nanoseconds.
    let opened: ClosedRange<UInt64>
    /// The test that was all that the process ran, where that is known.
    let test: String?

    /// With the tests that may have opened it.
    func finding(_ log: TestLog) -> RunReport.Finding {
        let tests = test.map { [$0] } ?? log.tests(from: opened.lowerBound, to: opened.upperBound)
        return RunReport.Finding(leak: leak, tests: tests, isOver: true)
    }
}

/// Looks at what test processes hold, as often as a quarter of a processor allows: by these it is known when a socket was
/// opened, and so in which tests.
struct TestLooks {
    /// When each socket was opened, at the earliest and at the latest, monotonic nanoseconds.
    private var opened: [SocketCookie: ClosedRange<UInt64>] = [:]
    /// When the last look began.
    private var last = EventTime.now().monotonicNanoseconds
    private(set) var next = ContinuousClock.now

    /// When a socket was opened that is seen now.
    func opening(of cookie: SocketCookie) -> ClosedRange<UInt64> {
        opened[cookie] ?? last...max(last, EventTime.now().monotonicNanoseconds)
    }

    /// Looks at what they hold.
    mutating func look(at processes: ProcessSelection, _ search: LeakSearches) throws {
        let (begin, clock) = (EventTime.now().monotonicNanoseconds, ContinuousClock.now)
        let held = try search.heldSockets(by: processes)
        for socket in held where opened[socket.cookie] == nil { opened[socket.cookie] = opening(of: socket.cookie) }
        last = begin
        next = clock + max(.milliseconds(4), (.now - clock) * 4)
    }
}

extension RunSession where Renderer: ~Copyable {
    /// Looks at what test processes hold.
    mutating func lookAtTests(_ tests: TestWatch, _ search: LeakSearches) throws {
        let hasNews = tests.readStream()
        guard !tests.processes.isEmpty, hasNews || looks.next <= clock.now else { return }
        try looks.look(at: ProcessSelection(pids: tests.processes), search)
    }

    /// Notes what a test process holds that is about to end.
    mutating func noteRemains(of process: Int32, _ test: String?, _ search: LeakSearches) throws {
        for socket in try search.heldSockets(by: ProcessSelection(pids: [process])) {
            let opened = looks.opening(of: socket.cookie)
            var leak = SocketLeak(socket, history: sockets[socket.cookie]?.steps ?? [])
            let age = Duration.nanoseconds(Int64(clamping: EventTime.now().monotonicNanoseconds - opened.upperBound))
            if leak.age == nil, age >= .milliseconds(1) { leak.age = age }
            remains.append(TestRemains(leak: leak, opened: opened, test: test))
        }
    }

    /// Ends all descendants, those at last that do not heed SIGTERM; how COMMAND ended.
    mutating func endDescendants(
        _ signals: borrowing SignalDescriptor,
        _ child: ChildCommand
    ) throws -> ChildCommand.End {
        var end: ChildCommand.End?
        let limit = clock.now + .seconds(2)
        while case let processes = try Descendants.current(), !processes.isEmpty {
            for process in processes { kill(process, clock.now < limit ? SIGTERM : SIGKILL) }
            wait(for: signals, until: clock.now + .milliseconds(20))
            while signals.next() != nil {}
            end =
                child.reap { process, status in
                    plan.tests?.handleStop(of: process, waitStatus: status) { _ in }
                } ?? end
        }
        return end ?? .killed(signal: SIGTERM)
    }
}
