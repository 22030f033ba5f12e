import Glibc
import LinuxSystem
import SockDiag
import SocketLeaks
import SocketOwners
import TCPStateLab
import Testing

@Suite struct ForgottenSocketsTests {
    @Test(arguments: [
        ("unbound", ["unconnected CLOSED"]),
        ("unbound6", ["unconnected CLOSED"]),
        ("mptcp", ["unconnected CLOSED"]),
        ("bound", ["bound BOUND"]),
        ("refused", ["unconnected CLOSED"]),
        ("reset", ["unconnected CLOSED"]),
        ("disconnected", ["unconnected CLOSED"]),
        ("close-wait", ["peer-closed CLOSE_WAIT"]),
        // A FIN is acknowledged after 40 ms.
        ("half-closed", ["half-closed FIN_WAIT_2", "peer-closed CLOSE_WAIT"]),
        ("finished", ["unconnected CLOSED", "unconnected CLOSED"]),
        ("unaccepted", ["unaccepted LISTEN"]),
    ])
    func whatAProgramForgotIsFound(_ word: String, _ expected: [String]) throws {
        let found = try Forgetful(word).found { $0.kinds == expected }
        #expect(found.kinds == expected)
        for socket in found {
            #expect(socket.holders.map(\.owner.name.description) == ["SystemProbe"])
            #expect(socket.id != 0)
        }
    }

    @Test(arguments: ["refused-bound", "reset-bound"])
    func aConnectionThatIsOverIsFoundWithItsPort(_ word: String) throws {
        let found = try Forgetful(word).found()
        #expect(found.count == 1)
        let socket = try #require(found.first)
        #expect(socket.state == .closed || socket.state == .bound)
        #expect(socket.socket.local.port != 0)
    }

    @Test(arguments: ["listener", "idle", "pool", "udp", "unix"])
    func whatIsInUseIsSilent(_ word: String) throws {
        let found = try Forgetful(word).found()
        #expect(found.kinds == [])
    }

    @Test func aServerThatHasNotSentItsAnswerIsSilent() throws {
        let program = try Forgetful("answering")
        var search = try ForgottenSockets(of: .process(program.pid))
        search.kinds = [.peerClosed]
        #expect(try search.find(olderThan: .zero).sockets.kinds == [])
    }

    @Test func aHalfClosedConnectionIsSilentWhileAnswersCome() async throws {
        let program = try Forgetful("half-closed")
        var search = try ForgottenSockets(of: .process(program.pid))
        let begin = ContinuousClock.now
        while .now - begin < .milliseconds(900) {
            program.forget("answer")
            #expect(try search.find(olderThan: .milliseconds(500)).sockets.kinds == [])
            try await Task.sleep(for: .milliseconds(50))
        }
        try await Task.sleep(for: .milliseconds(600))
        let found = try search.find(olderThan: .milliseconds(500)).sockets
        #expect(found.kinds == ["half-closed FIN_WAIT_2", "peer-closed CLOSE_WAIT"])
    }

    /// 75 descriptors that no dump lists, among what is in use.
    @Test func everyDescriptorThatNoDumpListsIsFound() throws {
        let words = Array(repeating: "unbound", count: 50) + Array(repeating: "refused", count: 10)
        let program = try Forgetful((words + Array(repeating: "reset", count: 15) + ["pool"]).joined(separator: " "))
        let found = try program.found()
        #expect(found.count == 75)
        #expect(found.allSatisfy { $0.kind == .unconnected && $0.state == .closed && $0.protocolName == .tcp })
        #expect(Set(found.flatMap(\.holders).map(\.owner.descriptor)).count == 75)
        program.forget("close")
        #expect(try program.found().isEmpty)
    }

    @Test func whatIsInheritedHasAllItsHolders() throws {
        let program = try Forgetful("unbound close-wait inherit")
        var search = try ForgottenSockets()
        let found = try search.find(olderThan: .zero).sockets.filter { socket in
            socket.holders.contains { $0.process.pid == program.pid }
        }
        #expect(found.count == 2)
        for socket in found {
            let names = Set(socket.holders.map(\.owner.name.description))
            #expect(names == ["SystemProbe", "sleep"])
            #expect(Set(socket.holders.map(\.process)).count == 2)
        }
        program.forget("close")
        // The child holds them on.
        let held = try search.find(olderThan: .zero).sockets.filter { socket in found.contains { $0.id == socket.id } }
        #expect(held.map { $0.holders.map(\.owner.name.description) } == [["sleep"], ["sleep"]])
    }

    @Test func otherProtocolsAreListedWhereTheyAreAskedFor() throws {
        let program = try Forgetful("unbound")
        var search = try ForgottenSockets(of: .process(program.pid))
        #expect(try search.find(olderThan: .zero).descriptors.isEmpty)
        search.otherProtocols = [.udp, .udpv6, .unix, .unixStream]
        // Standard input and output of the program are a UNIX socket, and it has what the tests let it inherit.
        let before = try search.find(olderThan: .zero).descriptors.map(\.id)
        program.forget("udp unix")
        let found = try search.find(olderThan: .zero)
        let names = found.descriptors.filter { !before.contains($0.id) }.map(\.protocolName)
        #expect(names.filter { $0 == .udp }.count == 1)
        #expect(names.filter { $0 == .unix || $0 == .unixStream }.count == 2)
        #expect(found.sockets.kinds == ["unconnected CLOSED"])
        #expect(found.descriptors.allSatisfy { $0.holders.first?.process.pid == program.pid })
    }

    @Test func kindsAndAFilterSayWhatDoesNotCount() throws {
        let program = try Forgetful("unbound bound close-wait")
        var search = try ForgottenSockets(of: .process(program.pid))
        search.kinds.remove(.bound)
        #expect(try search.find(olderThan: .zero).sockets.count == 2)
        search.ignored = .state(.closeWait)
        #expect(try search.find(olderThan: .zero).sockets.kinds == ["unconnected CLOSED"])
        search.ignored = .pid(program.pid)
        #expect(try search.find(olderThan: .zero).sockets.isEmpty)
    }

    @Test func aSocketOfANamespaceThatOnlyAThreadIsInIsNotTakenForUnlisted() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pair = try lab.loopbackPair()
        let inodes = try [pair.client, pair.accepted].map { UInt32(truncatingIfNeeded: try $0.inode()) }
        var search = try ForgottenSockets(of: .process(getpid()))
        let found = try search.find(olderThan: .zero).sockets
        #expect(!found.contains { inodes.contains($0.id) })
    }

    // MARK: - What was not seen

    @Test func aProcessThatIsNotThereIsAnError() throws {
        let error = #expect(throws: KernelError.self) { _ = try ForgottenSockets(of: .process(.max)) }
        #expect(error?.code == .notFound)
    }

    @Test func aProcessThatHasEndedIsReported() throws {
        let program = try Forgetful("unbound")
        var search = try ForgottenSockets(of: .process(program.pid))
        #expect(try search.find(olderThan: .zero).coverage.isComplete)
        _ = program.program.finish()
        // It has not been waited for, and has its number still.
        let deadline = ContinuousClock.now + .seconds(5)
        var found = try search.find(olderThan: .zero)
        while found.coverage.ended.isEmpty, .now < deadline { found = try search.find(olderThan: .zero) }
        #expect(found.sockets.isEmpty)
        #expect(found.coverage.ended.map(\.pid) == [program.pid])
        #expect(!found.coverage.isComplete)
        #expect(found.coverage.description == "not all was searched: process \(program.pid) ended")
    }

    @Test(.enabled(if: Program.isRoot, "only root can become another user"))
    func aProcessThatMayNotBeReadIsReported() throws {
        let program = try Forgetful("unbound")
        let lines = try Program.run(Program.asNobody + [Program.probe, "forgotten", "\(program.pid)"])
        #expect(lines.first == "found 0 unreadable 1")
        #expect(
            lines.dropFirst().first?.contains(
                "process \(program.pid) (SystemProbe) cannot be read: it takes CAP_SYS_PTRACE"
            ) == true
        )
    }

    @Test func aProgramWhoseMainThreadHasEndedIsSearched() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let socket = try lab.unconnected()
        let number = try #require(socket.descriptor)
        let child = try lab.run { try Program([Program.probe, "leaderless"], descriptors: [30: number]) }
        try child.waitForEcho()
        let proc = try ProcessDirectory()
        while proc.kind(of: child.pid) == .program { sched_yield() }
        var search = try ForgottenSockets(of: .process(child.pid))
        let found = try search.find(olderThan: .zero)
        #expect(found.sockets.map { $0.holders.map(\.owner.descriptor) } == [[30]])
        #expect(found.coverage.ended.isEmpty)
    }
}
