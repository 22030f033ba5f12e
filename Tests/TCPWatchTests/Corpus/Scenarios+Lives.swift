internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

extension Scenario {
    /// Whole lives, and what is no connection.
    static let lives = handshakes + requests + timers + listeners

    private static let handshakes = [
        Scenario("loopback-client-closes") { try converse($0, clientCloses: true, isWatched: true) },
        Scenario("loopback-server-closes") { try converse($0, clientCloses: false, isWatched: true) },
        Scenario("loopback-client-closes-unseen") { try converse($0, clientCloses: true, isWatched: false) },
        Scenario("loopback-server-closes-unseen") { try converse($0, clientCloses: false, isWatched: false) },
        Scenario("simultaneous-open-and-close") { recorder in
            try recorder.begin()
            let client = try recorder.lab.client(in: .synReceived)
            try recorder.poll()
            try client.peer.send(.ack)
            try recorder.wait(for: "SYN_RCVD>ESTABLISHED")
            try client.shutDown()
            try client.peer.receive(.fin)
            try recorder.poll()
            try client.peer.send(.fin.acknowledging(.nothingNew))
            try recorder.wait(for: "FIN_WAIT_1>CLOSING")
            try client.peer.send(.ack)
            try recorder.wait(for: "CLOSING>TIME_WAIT")
            client.close()
            try client.peer.send(.rst)
            try recorder.wait(for: "TIME_WAIT>CLOSED")
        },
        Scenario("refused") { recorder in
            try recorder.begin()
            let client = try recorder.lab.client(in: .synSent)
            try recorder.poll()
            try client.peer.send(.rst)
            try recorder.wait(for: "SYN_SENT>CLOSED")
            client.close()
        },
        Scenario("unreachable") { recorder in
            try recorder.begin()
            let client = try recorder.lab.client(in: .synSent)
            try recorder.poll()
            // The peer has taken the first SYN; the next is sent after a second.
            try client.peer.refuse(client.peer.receive(.syn))
            try recorder.wait(for: "SYN_SENT>CLOSED")
        },
    ]

    /// A connection over the loopback device from its beginning to its end, with data both ways.
    private static func converse(_ recorder: JournalRecorder, clientCloses: Bool, isWatched: Bool) throws {
        try recorder.begin()
        let pair = try recorder.lab.loopbackPair()
        if isWatched { try recorder.wait(for: ">ESTABLISHED", count: 2) }
        try pair.send([UInt8](repeating: 1, count: 1000), from: .client)
        try pair.receive(1000, at: .accepted)
        try pair.send([UInt8](repeating: 2, count: 300), from: .accepted)
        try pair.receive(300, at: .client)
        let (first, second) = clientCloses ? (pair.client, pair.accepted) : (pair.accepted, pair.client)
        try first.shutDown()
        if isWatched { try recorder.wait(for: ">FIN_WAIT_2") }
        second.close()
        try first.wait(until: .closed)
        if isWatched { try recorder.wait(for: ">TIME_WAIT") }
        first.close()
        try recorder.wait(for: ">CLOSED")
        let final = recorder.reported.compactMap(\.final).first
        let expected = clientCloses ? [300, 1000] : [1000, 300] as [UInt64]
        #expect([final?.bytesSent, final?.bytesReceived] == expected)
        pair.listener.close()
    }

    private static let requests = [
        Scenario("request-expires") { recorder in
            try recorder.lab.sysctl("net.ipv4.tcp_synack_retries", 0)
            let listener = try recorder.lab.listener()
            try recorder.begin()
            try recorder.lab.server(in: .synReceived, on: listener)
            try recorder.wait(for: "CLOSED>SYN_RCVD")
            try recorder.wait(for: "SYN_RCVD>CLOSED")
        },
        Scenario("request-is-reset") { recorder in
            let listener = try recorder.lab.listener()
            try recorder.begin()
            let request = try recorder.lab.server(in: .synReceived, on: listener)
            try recorder.wait(for: "CLOSED>SYN_RCVD")
            try request.peer.send(.rst)
            try recorder.wait(for: "SYN_RCVD>CLOSED")
        },
        Scenario("child-bears-the-cookie-of-its-request") { recorder in
            try recorder.begin()
            let request = try recorder.lab.server(in: .synReceived)
            try recorder.poll()
            try request.peer.send(.ack)
            try recorder.poll()
            try request.peer.send(.rst)
            try recorder.wait(for: ">CLOSED")
        },
        Scenario("listener-closes-with-children-in-its-queue") { recorder in
            let listener = try recorder.lab.listener()
            try recorder.begin()
            try recorder.lab.server(in: .closeWait, on: listener, accepted: false)
            try recorder.lab.server(in: .established, on: listener, accepted: false)
            try recorder.poll()
            listener.close()
            try recorder.wait(for: ">CLOSED", count: 3)
        },
        Scenario("fast-open") { recorder in
            // Servers take data from everybody's SYN.
            try recorder.lab.sysctl("net.ipv4.tcp_fastopen", 0x203)
            let listener = try recorder.lab.listener()
            var length: Int32 = 16
            setsockopt(listener.descriptor ?? -1, Int32(IPPROTO_TCP), TCP_FASTOPEN, &length, 4)
            try recorder.begin()
            let peer = try recorder.lab.peer(of: listener)
            try peer.send(.syn.carrying([1, 2, 3]))
            try peer.receive(.synAck)
            try recorder.poll()
            try peer.send(.ack)
            try recorder.poll()
            try peer.send(.rst)
        },
    ]

    private static let timers = [
        Scenario("connect-times-out") { recorder in
            try recorder.begin()
            let client = try recorder.lab.client(in: .synSent)
            try recorder.poll()
            var timeout: Int32 = 1000
            setsockopt(client.descriptor ?? -1, Int32(IPPROTO_TCP), 18, &timeout, 4)  // TCP_USER_TIMEOUT
            try recorder.wait(for: "SYN_SENT>CLOSED")
        },
        Scenario("orphan-in-fin-wait-2-times-out") { recorder in
            try recorder.lab.sysctl("net.ipv4.tcp_fin_timeout", 2)
            try orphan(recorder)
            try recorder.wait(for: ">CLOSED")
        },
        Scenario("orphan-in-fin-wait-2-gets-its-fin") { recorder in
            let connection = try orphan(recorder)
            try connection.peer.send(.fin)
            try recorder.wait(for: "FIN_WAIT_2>TIME_WAIT")
        },
        Scenario("time-wait-is-reused") { recorder in
            try recorder.begin()
            let connection = try recorder.lab.server(in: .timeWait)
            try recorder.wait(for: ">TIME_WAIT")
            try connection.peer.send(.syn.shifted(by: 100_000))
            try connection.peer.receive(.synAck)
            try recorder.poll()
            try connection.peer.send(.ack)
            try recorder.wait(for: "SYN_RCVD>ESTABLISHED")
        },
    ]

    @discardableResult
    private static func orphan(_ recorder: JournalRecorder) throws -> Connection {
        let connection = try recorder.lab.server(in: .established)
        try recorder.begin()
        connection.close()
        try connection.peer.receive(.fin)
        try connection.peer.send(.ack)
        try recorder.wait(for: ">FIN_WAIT_2")
        return connection
    }

    private static let listeners = [
        Scenario("bound-then-listening") { recorder in
            try recorder.begin()
            let socket = try recorder.lab.bound()
            try recorder.poll()
            listen(socket.descriptor ?? -1, 1)
            try recorder.wait(for: "BOUND>LISTEN")
            socket.close()
            try recorder.wait(for: "LISTEN>CLOSED")
        },
        Scenario("bound-and-closed") { recorder in
            let socket = try recorder.lab.bound()
            try recorder.begin()
            socket.close()
            try recorder.wait(for: "BOUND>CLOSED")
        },
        Scenario("bound-then-connected") { recorder in
            let (socket, listener) = (try recorder.lab.bound(), try recorder.lab.listener())
            try recorder.begin()
            listener.local.withSocketAddress { _ = connect(socket.descriptor ?? -1, $0, $1) }
            try recorder.poll()
            try socket.shutDown()
            try recorder.wait(for: ">FIN_WAIT_2")
        },
        Scenario("listener-without-bind") { recorder in
            try recorder.begin()
            let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            let descriptor = recorder.lab.run { socket(AF_INET, type, 0) }
            listen(descriptor, 1)
            try recorder.wait(for: "CLOSED>LISTEN")
            close(descriptor)
            try recorder.wait(for: "LISTEN>CLOSED")
        },
    ]
}
