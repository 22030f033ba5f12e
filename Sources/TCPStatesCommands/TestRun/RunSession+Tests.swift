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

extension RunSession where Renderer: ~Copyable {
    /// Notes what a test process holds that is about to end.
    mutating func noteRemains(of process: Int32, _ test: String?, _ search: LeakSearches) throws {
        for socket in try search.heldSockets(by: ProcessSelection(pids: [process])) {
            let opened = looks.opening(of: socket.cookie)
            _ = sockets.note(held: socket)
            var leak = sockets.leak(socket)
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
            guard clock.now < limit + .seconds(2) else {
                let list = processes.map { "\($0)" }.joined(separator: " ")
                TCPStates.complain("these processes could not be ended, perhaps for being another user's: \(list)")
                break
            }
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
