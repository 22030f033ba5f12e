internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
internal import SocketLeaks
internal import TCPRecords
internal import TCPWatch

/// A socket that a test process held just before it ended.
struct TestRemains {
    let leak: SocketLeak
    /// The earliest and the latest time at which it was opened, monotonic nanoseconds.
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
    mutating func noteRemains(of process: ProcessIdentity, _ test: String?, _ search: LeakSearch) throws {
        for held in try search.heldSockets(by: [process]) {
            let now = EventTime.now()
            let opened = polls.opening(of: held.socket.cookie)
            sockets.note(held: held, at: now)
            remains.append(TestRemains(leak: sockets.leak(held.socket, at: now), opened: opened, test: test))
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
                    plan.tests?.handleStop(of: process, waitStatus: status) { _, _ in }
                } ?? end
        }
        return end ?? .killed(signal: SIGTERM)
    }
}
