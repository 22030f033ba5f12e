internal import Glibc
internal import LinuxSystem
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

extension Scenario {
    /// What was once reported wrongly.
    static let failures = aliases + reports + losses

    /// One socket, one connection after the other.
    private static let aliases = [
        Scenario("connected-anew-beside-its-time-wait") { try reconnect($0, isWatched: true) },
        Scenario("connected-anew-beside-its-time-wait-unseen") { try reconnect($0, isWatched: false) },
        Scenario("connected-three-times") { recorder in
            let listener = try recorder.lab.loopbackListener()
            let client = try recorder.lab.unconnected()
            try recorder.begin()
            for life in 0..<3 {
                if life > 0 { try client.disconnect() }
                try client.connect(to: listener.local)
                _ = try recorder.lab.accepted(from: listener)
                try recorder.poll()
            }
            expectLives(3, of: try client.cookie(), recorder)
        },
        Scenario("refused-and-connected-again") { recorder in
            let nobody = try recorder.lab.loopbackListener(backlog: nil)
            let listener = try recorder.lab.loopbackListener()
            try recorder.begin()
            let client = try recorder.lab.unconnected()
            try #require(try client.connect(to: nobody.local) == ECONNREFUSED)
            let cookie = try client.cookie()
            try client.connect(to: listener.local)
            try recorder.poll()
            // Dumps saw one of them alone.
            if recorder.mode == .trace { expectLives(2, of: cookie, recorder) }
        },
    ]

    /// `shutdown()`, the peer's FIN, `connect()` to `AF_UNSPEC` and anew, and an end of the second connection.
    private static func reconnect(_ recorder: JournalRecorder, isWatched: Bool) throws {
        try recorder.begin()
        let listener = try recorder.lab.loopbackListener()
        let client = try recorder.lab.unconnected()
        try client.connect(to: listener.local)
        let cookie = try client.cookie()
        let accepted = try recorder.lab.accepted(from: listener)
        if isWatched { try recorder.poll() }
        try client.shutDown()
        accepted.close()
        try client.wait(until: .closed)
        if isWatched { try recorder.wait(for: ">TIME_WAIT") }
        try client.disconnect()
        try client.connect(to: listener.local)
        let second = try recorder.lab.accepted(from: listener)
        for _ in 0..<5 { try recorder.poll() }
        expectLives(2, of: cookie, recorder)
        second.close()
        try recorder.poll()
        client.close()
    }

    private static func expectLives(_ count: Int, of cookie: SocketCookie, _ recorder: JournalRecorder) {
        let lives = ReportedLife.all(in: recorder.reported).filter { $0.cookie == cookie }
        #expect(lives.map(\.incarnation) == (0..<count).map { UInt8($0) }, "\(lives)")
    }

    private static let reports = [
        Scenario("segments-of-the-backlog-have-no-process", [.trace]) { recorder in
            try recorder.begin()
            let listener = try recorder.lab.loopbackListener()
            for _ in 0..<5 { try recorder.lab.converse(with: listener) }
            listener.close()
            try recorder.wait(for: "LISTEN>CLOSED")
            for transition in recorder.reported where transition.certainty == .exact {
                let isCall =
                    [.listen, .synSent, .finWait1, .lastAck].contains(transition.to) || transition.from == .listen
                #expect((transition.pid != nil) == isCall, "\(transition.path)")
            }
        },
        Scenario("syn-cookies-keep-no-request") { recorder in
            try recorder.lab.sysctl("net.ipv4.tcp_syncookies", 2)
            try recorder.begin()
            let listener = try recorder.lab.loopbackListener()
            let client = try recorder.lab.unconnected()
            try client.connect(to: listener.local)
            try recorder.lab.accepted(from: listener).close()
            try recorder.wait(for: ">CLOSE_WAIT")
        },
        Scenario("closed-and-kept") { recorder in
            // No message comes of a socket that is closed, as long as a program holds it.
            let connections = try (0..<3).map { _ in try recorder.lab.server(in: .established) }
            try recorder.begin()
            for connection in connections { try connection.peer.send(.rst) }
            try recorder.wait(for: "ESTABLISHED>CLOSED", count: 3)
            for _ in 0..<10 { try recorder.poll() }
            connections[0].close()
            try recorder.poll()
        },
    ]

    private static let losses = [
        Scenario("resynchronized") { recorder in
            let pair = try recorder.lab.loopbackPair()
            try recorder.begin()
            try recorder.lab.server(in: .closeWait)
            try recorder.poll()
            try recorder.resynchronize()
            pair.client.close()
            try recorder.wait(for: ">FIN_WAIT_2")
        },
        Scenario("more-than-the-ring-holds", [.trace]) { recorder in
            let pairs = try (0..<15).map { _ in try recorder.lab.loopbackPair() }
            try recorder.begin { $0.traceBufferSize = 4096 }
            for pair in pairs { try pair.closeInOrder() }
            try recorder.wait(for: ">TIME_WAIT", count: pairs.count)
            let gaps = recorder.gaps
            #expect(gaps.contains { $0.source == .trace && $0.lost ?? 0 > 0 }, "\(gaps)")
        },
        Scenario("more-than-the-receive-buffer-holds", [.poll]) { recorder in
            let pairs = try (0..<10).map { _ in try recorder.lab.loopbackPair() }
            try recorder.begin { $0.receiveBufferSize = 4096 }
            for pair in pairs {
                pair.client.close()
                pair.accepted.close()
                pair.listener.close()
            }
            try recorder.awaitLostMessages()
            try recorder.wait(for: ">TIME_WAIT", count: pairs.count)
            let gaps = recorder.gaps
            #expect(gaps.contains { $0.source == .destroy && $0.lost ?? 0 > 0 }, "\(gaps)")
        },
    ]
}
