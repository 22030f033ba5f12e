internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

extension Trouble {
    private static func leaked(_ patient: Patient, _ connections: [Connection]) -> Course {
        Course(
            thresholds: .with { $0.closeWaitAge = .zero },
            failures: { try patient.count(.closeWait) },
            cures: [
                "Restart the program": { _ in
                    for connection in connections {
                        connection.close()
                        try connection.peer.send(.rst)
                    }
                }
            ]
        )
    }

    static let connections: [Trouble] = [
        Trouble(.closeWait, "of connections that were accepted") { patient in
            let listener = try patient.lab.listener()
            return leaked(patient, try (0..<12).map { _ in try patient.lab.server(in: .closeWait, on: listener) })
        },
        Trouble(.closeWait, "of connections that were opened here") { patient in
            leaked(patient, try (0..<12).map { _ in try patient.lab.client(in: .closeWait) })
        },
        Trouble(.finWait2, "of connections that no program holds any more") { patient in
            func close() throws -> Set<SocketEndpoint> {
                Set(
                    try (0..<6).map { _ in
                        let client = try patient.lab.client(in: .finWait2)
                        client.close()
                        return client.remote
                    }
                )
            }
            _ = try close()
            return Course(
                thresholds: .with { $0.finWait2 = 5 },
                // Those that stay longer than a quarter of a minute.
                failures: {
                    let new = try close()
                    var client = try SockDiagClient(in: patient.namespace)
                    return try client.sockets(in: .finWait2).count { socket in
                        new.contains(socket.remote) && socket.timer.map { $0.milliseconds > 15_000 } ?? true
                    }
                },
                cures: ["Let those that nobody holds end sooner": patient.follow]
            )
        },
        Trouble(.unanswered, "destination") { patient in
            let clients = try (0..<4).map { _ in try patient.lab.client(in: .synSent) }
            for client in clients { try client.peer.receive(.syn) }
            return Course(
                failures: { try patient.count(.synSent) },
                cures: [
                    "Fail after": { remedy in
                        try patient.follow(remedy)
                        try patient.wait(for: "connect() to give up") { try patient.count(.synSent) == 0 }
                    }
                ],
                shown: ["See how far it is reachable"]
            )
        },
        Trouble(.retransmissions, "of many connections") { patient in
            let connections = try (0..<10).map { _ in try patient.lab.server() }
            return Course(
                thresholds: .with { $0.retransmissionRate = 1 },
                between: { try patient.send(connections, times: 2) },
                failures: {
                    try Survey(of: patient.namespace, since: Survey(of: patient.namespace, since: nil)).unacknowledged
                        .count
                },
                shown: ["See whether the losses are here"],
                recovery: { for connection in connections { try connection.peer.send(.ack) } }
            )
        },
        Trouble(.zeroWindow, "of a program here that does not read") { patient in
            let pair = try patient.lab.loopbackPair()
            let (sender, reader) = (try #require(pair.client.descriptor), try #require(pair.accepted.descriptor))
            var chunk = [UInt8](repeating: 7, count: 1 << 16)
            let thresholds = Thresholds.with { $0.zeroWindow = 1 }
            func findings() throws -> [Finding] { try patient.findings(thresholds) }
            // The last room in the buffer is filled by a timer of the sender's.
            try patient.wait(for: "a closed window") {
                while send(sender, chunk, chunk.count, Int32(MSG_DONTWAIT)) > 0 {}
                return try findings().contains { $0.local != nil }
            }
            // The same window is the peer's of the other socket: one finding each, of which this is the reader's.
            setOption(sender, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            return Course(
                thresholds: .with { $0.zeroWindow = 1 },
                failures: { try findings().count },
                recovery: {
                    try patient.wait(for: "all to be read") {
                        while recv(reader, &chunk, chunk.count, Int32(MSG_DONTWAIT)) > 0 {}
                        return try findings().isEmpty
                    }
                }
            )
        },
    ]

    static let peers: [Trouble] = [
        Trouble(.zeroWindow, "of peers that do not read") { patient in
            let connections = try (0..<3).map { _ in try patient.lab.server() }
            for connection in connections { try connection.peer.send(.ack.window(0)) }
            for connection in connections { try #require(connection.socket).send(3) }
            for _ in 0..<3 { for connection in connections { try connection.peer.receive(.ack) } }
            return Course(
                failures: { try patient.findings().count },
                cures: ["Set TCP_USER_TIMEOUT": { _ in try giveUp(connections, patient) }],
                recovery: { for connection in connections { try connection.peer.send(.ack) } }
            )
        },
        Trouble(.unacknowledged, "peers that are gone") { patient in
            // So that a test need not wait for two minutes between two attempts (kernel 6.15).
            let isShort = (try? patient.lab.sysctl("net.ipv4.tcp_rto_max_ms", 1000)) != nil
            try patient.lab.sysctl("net.ipv4.tcp_retries2", 15)
            let listener = try patient.lab.listener()
            let connections = try (0..<3).map { _ in try patient.lab.server(on: listener) }
            try patient.send(connections, times: 5)
            return Course(
                thresholds: .with { $0.unacknowledgedAge = .milliseconds(500) },
                failures: { try patient.count(.established) },
                cures: [
                    "Set TCP_USER_TIMEOUT": { _ in try giveUp(connections, patient) },
                    "Give up after": { remedy in
                        try patient.follow(remedy)
                        guard isShort else {
                            throw MissingProgram(line: "this kernel has no tcp_rto_max_ms: it takes 102 s")
                        }
                        try patient.wait(for: "the kernel to give up") { try patient.count(.established) == 0 }
                    },
                ],
                recovery: {
                    for connection in connections {
                        try connection.peer.send(.ack)
                        try connection.peer.send(.rst)
                    }
                }
            )
        },
        Trouble(.idle, "connections") { patient in
            let listener = try patient.lab.listener()
            let connections = try (0..<10).map { _ in try patient.lab.server(on: listener) }
            let thresholds = Thresholds.with { $0.idleAge = .zero }
            return Course(
                thresholds: thresholds,
                failures: { try patient.findings(thresholds).count },
                cures: [
                    "Set SO_KEEPALIVE": { _ in
                        for connection in connections {
                            setOption(try #require(connection.descriptor), SOL_SOCKET, SO_KEEPALIVE, 1)
                        }
                    }
                ]
            )
        },
    ]

    /// Sets TCP_USER_TIMEOUT, and waits until the program learns of it.
    private static func giveUp(_ connections: [Connection], _ patient: Patient) throws {
        for connection in connections {
            setOption(try #require(connection.descriptor), Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 100)
        }
        for connection in connections {
            var waited = pollfd(fd: try #require(connection.descriptor), events: 0, revents: 0)
            #expect(poll(&waited, 1, 30_000) == 1)
            #expect(try connection.socket?.takeError() == ETIMEDOUT)
        }
    }
}
