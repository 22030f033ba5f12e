import SockDiag
import SocketLeaks
import TCPStateLab
import TCPWatch
import Testing

/// Since when a socket is forgotten: never longer than in truth.
@Suite struct ForgottenAgeTests {
    @Test func theKernelKnowsTheLeastAgeOfCloseWait() async throws {
        let begin = ContinuousClock.now
        let program = try Forgetful("close-wait unaccepted unbound")
        try await Task.sleep(for: .milliseconds(300))
        let found = try program.found()
        let elapsed = ContinuousClock.now - begin
        #expect(found.count == 3)
        for socket in found where socket.kind != .unconnected {
            #expect(socket.age.ground == .segment)
            #expect(!socket.age.isExact)
            // The kernel counts in ticks, of 10 ms at most.
            #expect(socket.age.duration >= .milliseconds(280) && socket.age.duration <= elapsed + .milliseconds(10))
        }
        let unbound = try #require(found.first { $0.kind == .unconnected })
        #expect(unbound.age.duration == .zero)
        #expect(unbound.age.description == "for an unknown time")
    }

    @Test func whoSearchesAgainKnowsSinceWhen() async throws {
        let program = try Forgetful("unbound bound")
        var search = try ForgottenSockets(of: .process(program.pid))
        let begin = ContinuousClock.now
        #expect(try search.find(olderThan: .milliseconds(200)).sockets.isEmpty)
        try await Task.sleep(for: .milliseconds(250))
        program.forget("unbound")
        let found = try search.find(olderThan: .milliseconds(200)).sockets
        #expect(found.kinds == ["bound BOUND", "unconnected CLOSED"])
        for socket in found {
            #expect(socket.age.ground == .search)
            #expect(socket.age.duration <= ContinuousClock.now - begin)
        }
        #expect(try search.find(olderThan: .seconds(3600)).sockets.isEmpty)
    }

    @Test func aConnectionThatWasFoundBeforeItWasResetIsKnownAfterwards() throws {
        let program = try Forgetful()
        var search = try ForgottenSockets(of: .process(program.pid))
        program.forget("idle")
        #expect(try search.find(olderThan: .zero).sockets.isEmpty)
        program.forget("reset-first")
        let found = try search.find(olderThan: .zero).sockets
        #expect(found.kinds == ["closed CLOSED"])
        let socket = try #require(found.first)
        #expect(socket.socket.remote.port != 0)
        #expect(socket.explanation == "the connection is over, by a reset or a timeout, and nobody called close() here")
    }

    @Test func whatAWatcherReportsGivesAgeAndTransitions() async throws {
        let program = try Forgetful("close-wait")
        var search = try ForgottenSockets(of: .process(program.pid))
        let socket = try #require(try search.find(olderThan: .zero).sockets.first)
        let now = EventTime.now()
        for (index, step) in [(TCPState.closed, TCPState.established), (.established, .closeWait)].enumerated() {
            let time = now.monotonicNanoseconds - UInt64(10 - index) * 1_000_000_000
            var transition = Transition(
                socket.socket.identity,
                from: step.0,
                to: step.1,
                certainty: .exact,
                source: .trace,
                time: EventTime(monotonicNanoseconds: time, realtimeNanoseconds: 0)
            )
            transition.inode = socket.id
            search.note(.transition(transition))
        }
        let found = try search.find(olderThan: .zero).sockets
        let known = try #require(found.first)
        #expect(known.age.isExact && known.age.ground == .transition)
        #expect(known.age.duration >= .seconds(9) && known.age.duration < .seconds(12))
        #expect(known.transitions.map(\.to) == [.established, .closeWait])
        #expect(known.description.contains("CLOSED → ESTABLISHED → CLOSE_WAIT"))
    }

    @Test func aWatcherOfThePastOfASocketThatNoDumpListsAnyMore() async throws {
        let program = try Forgetful()
        var configuration = SocketWatcher.Configuration()
        configuration.source = .poll
        configuration.interval = .milliseconds(20)
        configuration.namespaces = [try NetworkNamespace(pid: program.pid)]
        var search = try ForgottenSockets(of: .process(program.pid))
        var isReset = false
        var ends = 0
        for try await event in try SocketWatcher(configuration) {
            search.note(event)
            if case .ready = event { program.forget("idle") }
            guard case .transition(let transition) = event else { continue }
            if transition.to == .established, !isReset {
                isReset = true
                // So that it is seen with its inode, too.
                try await Task.sleep(for: .milliseconds(100))
                program.forget("reset-first")
            }
            // Both sockets of the connection come to CLOSED, and one of them has a descriptor still.
            if transition.to == .closed { ends += 1 }
            if ends == 2 { break }
        }
        let found = try search.find(olderThan: .zero).sockets
        #expect(found.count == 1)
        #expect(found.first?.kind == .closed)
        #expect(found.first?.transitions.last?.to == .closed)
    }
}
