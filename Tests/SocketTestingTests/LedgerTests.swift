import Glibc
import SockDiag
import SocketLeaks
import SocketOwners
import TCPStateLab
import TCPWatch
import Testing

@testable import SocketTesting

/// Serialized: a scope that another of these tests has open would be a suspect.
@Suite(.serialized) struct LedgerTests {
    @Test func `A socket that is left is found with its descriptor, its age, its past and its cause`() throws {
        let scope = try LeakScope.begin("test")
        let listener = try scope.run { try TestSocket.listener() }
        let client = try scope.run { try TestSocket.client(of: listener.port) }
        let accepted = try scope.run { try listener.accepted() }
        shutdown(client.descriptor, Int32(SHUT_RDWR))
        let findings = try scope.end([listener.port])
        #expect(findings.summary == ["CLOSE_WAIT by test", "LISTEN by test"])
        let leak = try #require(findings.first?.leaks.first { $0.socket.state == .closeWait })
        #expect(leak.socket.owners.map(\.descriptor) == [accepted.descriptor])
        #expect(leak.socket.owners.map(\.pid) == [getpid()])
        #expect(leak.socket.remote.port == client.port)
        #expect(leak.age.map { $0 > .zero && $0 < .seconds(60) } == true)
        #expect(leak.reason.contains("nobody called close()"))
    }

    @Test func `What was there before, or has been closed, is no leak`() throws {
        let before = try TestSocket.listener()
        let scope = try LeakScope.begin("test")
        var port: UInt16 = 0
        try scope.run { port = try TestSocket.listener().port }
        #expect(try scope.end([before.port, port]).summary == [])
    }

    @Test func `Of two tests at once the one is blamed that made the socket`() throws {
        let first = try LeakScope.begin("first")
        let second = try LeakScope.begin("second")
        let listener = try second.run { try TestSocket.listener() }
        #expect(try first.end([listener.port]).summary == [])
        #expect(try second.end([listener.port]).summary == ["LISTEN by second"])
    }

    @Test func `A child task's socket is its test's, and that of a test that is not checked is nobody's`()
        async throws
    {
        let scope = try LeakScope.begin("test")
        let child = try await LeakScope.$current.withValue(scope) {
            try await Task { try TestSocket.listener() }.value
        }
        let stranger = try TestSocket.listener()
        #expect(try scope.end([child.port, stranger.port]).summary == ["LISTEN by test"])
    }

    @Test func `Where nothing shows whose a thread's socket is, it is reported once, with all that come into question`()
        throws
    {
        let early = try LeakScope.begin("early")
        #expect(try early.end([]).isEmpty)
        let first = try LeakScope.begin("first")
        let second = try LeakScope.begin("second")
        let listener = try onThread { try TestSocket.listener() }
        let late = try LeakScope.begin("late")
        #expect(try first.end([listener.port]).summary == [])
        let findings = try second.end([listener.port])
        #expect(findings.summary == ["LISTEN by first|second"])
        #expect(findings.first?.place == nil)
        #expect(findings.first?.description.contains("by one of 2 tests that ran at once") == true)
        #expect(try late.end([listener.port]).summary == [])
    }

    @Test func `What cannot be attributed to one test of a suite is reported at the suite`() throws {
        let suite = try LeakScope.begin("suite")
        let first = try suite.run { try LeakScope.begin("first") }
        let second = try suite.run { try LeakScope.begin("second") }
        let listener = try onThread { try TestSocket.listener() }
        #expect(try first.end([listener.port]).summary == [])
        #expect(try second.end([listener.port]).summary == [])
        let findings = try suite.end([listener.port])
        #expect(findings.summary == ["LISTEN by first|second"])
        #expect(findings.first?.place == suite)
    }

    @Test func `The thread's socket of a single test is that test's, and not that of the suite around it`() throws {
        let suite = try LeakScope.begin("suite")
        let test = try suite.run { try LeakScope.begin("test") }
        let listener = try onThread { try TestSocket.listener() }
        #expect(try test.end([listener.port]).summary == ["LISTEN by test"])
        #expect(try suite.end([listener.port]).summary == [])
    }

    @Test(arguments: [true, false])
    func `A connection that threads made is that of the test whose client or server it is`(isClient: Bool) throws {
        let server = try LeakScope.begin("server")
        let client = try LeakScope.begin("client")
        let other = try LeakScope.begin("other")
        let listener = try isClient ? onThread { try TestSocket.listener() } : server.run { try TestSocket.listener() }
        let port = listener.port
        let connecting =
            try isClient ? client.run { try TestSocket.client(of: port) } : onThread { try TestSocket.client(of: port) }
        let accepted = try onThread { try listener.accepted() }
        let ports = [connecting.port]
        let name = isClient ? "client" : "server"
        var findings: [LeakFinding] = []
        for scope in [other, server, client] { findings += try scope.end(ports) }
        #expect(findings.summary == ["ESTABLISHED by \(name)"])
        shutdown(accepted.descriptor, Int32(SHUT_RDWR))
    }

    @Test func `What closes while it is waited for is not reported`() throws {
        let scope = try LeakScope.begin("test", .noSocketLeaks(settleTime: .seconds(60)))
        var listener: TestSocket? = try scope.run { try TestSocket.listener() }
        let port = listener?.port
        let judgement = try SocketLedger.shared.end(scope)
        let wasSettled = try judgement.isSettled()
        listener = nil
        let ports = try judgement.findings().flatMap(\.leaks).map(\.socket.local.port)
        #expect(!wasSettled && listener == nil)
        #expect(!ports.contains { $0 == port })
    }

    @Test func `What a filter finds or a state spares is no leak`() throws {
        let port = try TestSocket.listener().port
        for rules in [
            NoSocketLeaks.noSocketLeaks(ignoring: "sport != :\(port)", settleTime: .zero),
            .noSocketLeaks(states: .closeWait, settleTime: .zero),
        ] {
            let scope = try LeakScope.begin("test", rules)
            let listener = try scope.run { try TestSocket.listener() }
            #expect(try scope.end([listener.port]).summary == [])
        }
        #expect(throws: SocketFilterError.self) { try LeakScope.begin("test", .noSocketLeaks(ignoring: "no filter")) }
    }

    @Test func `What the kernel finishes by itself counts for who asks for TIME_WAIT, and for nobody else`() throws {
        for (rules, expected) in [
            (NoSocketLeaks.noSocketLeaks(settleTime: .zero), []),
            (.noSocketLeaks(states: .all, settleTime: .zero), ["TIME_WAIT by test"]),
        ] {
            let scope = try LeakScope.begin("test", rules)
            let port = try scope.run {
                let listener = try TestSocket.listener()
                let client = try TestSocket.client(of: listener.port)
                let accepted = try listener.accepted()
                shutdown(client.descriptor, Int32(SHUT_WR))
                shutdown(accepted.descriptor, Int32(SHUT_WR))
                return client.port
            }
            #expect(try scope.end([port]).summary == expected)
            #expect(try LeakScope.begin("next", rules).end([port]).summary == [])
        }
    }

    @Test func `Of several suspects each must count it, and one that warns makes it a warning`() throws {
        let strict = try LeakScope.begin("strict")
        let lenient = try LeakScope.begin("lenient", .noSocketLeaks(states: .closeWait, settleTime: .zero))
        let listener = try onThread { try TestSocket.listener() }
        #expect(try strict.end([listener.port]).summary == [])
        #expect(try lenient.end([listener.port]).summary == [])
        let first = try LeakScope.begin("first")
        let warning = try LeakScope.begin("warning", .noSocketLeaks(settleTime: .zero, severity: .warning))
        let other = try onThread { try TestSocket.listener() }
        #expect(try first.end([other.port]).summary == [])
        #expect(try warning.end([other.port]).map(\.isFailure) == [false])
    }

    @Test func `A descriptor whose connection was reset is found, though the kernel lists it no more`() throws {
        let scope = try LeakScope.begin("test")
        let listener = try TestSocket.listener()
        let client = try scope.run { try TestSocket.client(of: listener.port) }
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        var accepted: TestSocket? = try listener.accepted()
        let size = socklen_t(MemoryLayout<linger>.size)
        setsockopt(accepted?.descriptor ?? -1, SOL_SOCKET, SO_LINGER, &linger, size)
        accepted = nil
        let leaks = try SocketLedger.shared.end(scope).findings().flatMap(\.leaks)
        let own = leaks.filter { $0.socket.owners.map(\.descriptor) == [client.descriptor] }
        #expect(own.map(\.socket.state) == [.closed] && accepted == nil)
        #expect(own.first?.socket.remote.port == listener.port)
    }

    @Test func `A socket that was made and never used is found`() throws {
        let scope = try LeakScope.begin("test")
        let socket = try scope.run { try TestSocket() }
        let leaks = try SocketLedger.shared.end(scope).findings().flatMap(\.leaks)
        let own = leaks.filter { $0.socket.owners.map(\.descriptor) == [socket.descriptor] }
        #expect(own.map(\.socket.state) == [.closed])
        #expect(own.first?.reason.contains("neither connected nor closed") == true)
    }

    @Test func `A socket of another network namespace is found in its state`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let scope = try LeakScope.begin("test")
        let connection = try scope.run { try lab.server(in: .closeWait) }
        #expect(try scope.end([connection.local.port]).summary.contains("CLOSE_WAIT by test"))
    }

    @Test func `A socket that only a child holds any more is found, with the child`() throws {
        let scope = try LeakScope.begin("test")
        let (child, port) = try scope.run {
            let listener = try TestSocket.listener()
            return (try Program(["/bin/cat"], descriptors: [3: listener.descriptor]), listener.port)
        }
        try child.waitForEcho()
        let findings = try scope.end([port])
        #expect(findings.summary == ["LISTEN by test"])
        #expect(findings.first?.leaks.first?.socket.owners.map(\.pid) == [child.pid])
    }

    @Test func `The calls leave errno as they found it`() throws {
        let scope = try LeakScope.begin("test")
        let port = try TestSocket.listener().port
        let failure = scope.run { () -> Int32 in
            do { _ = try TestSocket.client(of: port) } catch { return (error as? TestSocket.Failure)?.errno ?? 0 }
            return 0
        }
        #expect(failure == ECONNREFUSED)
        errno = ENOENT
        let descriptor = scope.run { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        let after = errno
        close(descriptor)
        #expect(after == ENOENT)
        _ = try scope.end([])
    }
}
