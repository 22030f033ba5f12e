internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

extension LookAlike {
    static let all: [LookAlike] = opening + closing + waiting

    private static let opening: [LookAlike] = [
        LookAlike(.halfOpenFlood, "a burst of SYNs whose clients go on") { patient in
            try patient.lab.sysctl("net.ipv4.tcp_syncookies", 0)
            let listener = try patient.lab.listener(backlog: 300)
            let peers = try (0..<200).map { _ in try patient.lab.peer(of: listener) }
            for peer in peers {
                try peer.send(.syn)
                try peer.receive(.synAck)
            }
            return (Thresholds(), { for peer in peers { try peer.send(.ack) } })
        },
        LookAlike(.halfOpenFlood, "cookies that come back") { patient in
            try patient.lab.sysctl("net.ipv4.tcp_syncookies", 2)
            let listener = try patient.lab.listener()
            return (Thresholds(), { _ = try patient.connected(300, to: listener) })
        },
        LookAlike(.acceptQueueOverflow, "a queue that was full and is accepted") { patient in
            let listener = try patient.lab.listener(backlog: 4)
            for _ in 0..<5 { try patient.lab.server(on: listener, accepted: false) }
            let descriptor = try #require(listener.descriptor)
            return (
                Thresholds(),
                { while case let accepted = accept(descriptor, nil, nil), accepted >= 0 { close(accepted) } }
            )
        },
        LookAlike(.acceptQueueOverflow, "listeners of one port, none of which is full") { patient in
            let listeners = try patient.lab.sharedListeners(backlogs: [100, 100])
            _ = try patient.connected(60, to: listeners[0])
            return (Thresholds(), { _ = try patient.connected(10, to: listeners[1]) })
        },
        LookAlike(.portExhaustion, "as many connections, to two destinations") { patient in
            try patient.lab.sysctl("net.ipv4.ip_local_port_range", "40000 40029")
            let listener = try patient.lab.loopbackListener(port: 9000, isDualStack: true)
            for number in 0..<40 {
                let address = IPAddress(ipv4: 0x7f00_0100 + UInt32(number % 2))
                try patient.kept(patient.connect(to: SocketEndpoint(address, port: listener.local.port)).get())
            }
            return (Thresholds(), {})
        },
        LookAlike(.sourcePortExhaustion, "ports of one address that connect() gave to several destinations") {
            patient in
            try patient.lab.sysctl("net.ipv4.ip_local_port_range", "40000 40029")
            let listener = try patient.lab.loopbackListener(port: 9000, isDualStack: true)
            for number in 0..<200 {
                let endpoint = SocketEndpoint(
                    IPAddress(ipv4: 0x7f00_0100 + UInt32(number % 10)),
                    port: listener.local.port
                )
                let source = number % 2 == 0 ? IPAddress.loopbackIPv4 : nil
                try patient.kept(patient.connect(to: endpoint, from: source, choosesLate: true).get())
            }
            return (Thresholds(), {})
        },
        LookAlike(.unanswered, "two lost SYNs, and SYNs that were sent once") { patient in
            let lost = try (0..<2).map { _ in try patient.lab.client(in: .synSent) }
            for client in lost { try client.peer.receive(.syn) }
            return (Thresholds(), { for _ in 0..<10 { try patient.lab.client(in: .synSent) } })
        },
        LookAlike(.conntrack, "a table with room") { patient in
            let most = try KernelSettings(of: patient.namespace)[.conntrackMax] ?? 0
            // Where connections cannot be followed, there are none, and that is silent too.
            if most > 0 { try? patient.lab.followConnections(min(most / 200, 1000)) }
            return (.with { $0.conntrack = 1 }, {})
        },
    ]

    private static let closing: [LookAlike] = [
        LookAlike(.closeWait, "connections that have just been closed there") { patient in
            for _ in 0..<20 { try patient.lab.server(in: .closeWait) }
            return (Thresholds(), {})
        },
        LookAlike(.closeWait, "a few that are old") { patient in
            for _ in 0..<9 { try patient.lab.client(in: .closeWait) }
            return (.with { $0.closeWaitAge = .zero }, {})
        },
        LookAlike(.timeWaitOverflow, "many TIME_WAITs below the limit") { patient in
            try patient.lab.sysctl("net.ipv4.tcp_max_tw_buckets", 100)
            return (Thresholds(), { for _ in 0..<90 { try patient.lab.client(in: .timeWait) } })
        },
        LookAlike(.finWait2, "a few connections whose peers still send") { patient in
            let clients = try (0..<4).map { _ in try patient.lab.client(in: .finWait2) }
            return (.with { $0.finWait2 = 5 }, { for client in clients { try client.peer.send(.data([1])) } })
        },
        LookAlike(.orphans, "connections that are closed and end") { patient in
            for _ in 0..<50 {
                let connection = try patient.lab.server()
                connection.close()
                try connection.peer.receive(.fin)
                try connection.peer.send(.fin)
            }
            return (.with { $0.orphans = 1 }, {})
        },
    ]

    private static let waiting: [LookAlike] = [
        LookAlike(.retransmissions, "one lost segment of many") { patient in
            let (lossy, good) = (try patient.lab.server(), try patient.lab.server())
            return (
                .with { $0.retransmissionRate = 1 },
                {
                    for _ in 0..<50 {
                        try patient.send([good])
                        try good.peer.send(.ack)
                    }
                    try patient.send([lossy], times: 2)
                    try lossy.peer.send(.ack)
                }
            )
        },
        LookAlike(.zeroWindow, "windows that close and open again") { patient in
            let connections = try (0..<5).map { _ in try patient.lab.server() }
            for connection in connections { try connection.peer.send(.ack.window(0)) }
            for connection in connections { try #require(connection.socket).send(3) }
            for connection in connections { try connection.peer.receive(.ack) }
            return (Thresholds(), { for connection in connections { try connection.peer.send(.ack) } })
        },
        LookAlike(.zeroWindow, "data that is not read yet") { patient in
            for _ in 0..<5 { try patient.lab.server().peer.send(.data([UInt8](repeating: 7, count: 1000))) }
            return (Thresholds(), {})
        },
        LookAlike(.unacknowledged, "a path that loses a segment after a long silence") { patient in
            let connections = try (0..<5).map { _ in try patient.lab.server() }
            var client = try SockDiagClient(in: patient.namespace)
            try patient.wait(for: "silence") {
                try client.sockets(SocketQuery(states: .established, extensions: .info)).allSatisfy {
                    $0.tcpInfo?[.lastAckRecv].map { $0 > 1000 } == true
                }
            }
            return (.with { $0.unacknowledgedAge = .seconds(1) }, { try patient.send(connections, times: 2) })
        },
        LookAlike(.unacknowledged, "peers that lose what comes, and send") { patient in
            let connections = try (0..<5).map { _ in try patient.lab.server() }
            try patient.send(connections, times: 5)
            return (
                .with { $0.unacknowledgedAge = .seconds(1) },
                { for connection in connections { try connection.peer.send(.data([1]).acknowledging(.nothingNew)) } }
            )
        },
        LookAlike(.idle, "connections that have keepalive, or that something waits on") { patient in
            for number in 0..<30 {
                let connection = try patient.lab.server()
                let descriptor = try #require(connection.descriptor)
                switch number % 3 {
                case 0: setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
                case 1: try connection.peer.send(.data([1]))
                default: try #require(connection.socket).send(1)
                }
            }
            return (.with { $0.idleAge = .zero }, {})
        },
        LookAlike(.idle, "silence where no age is asked for") { patient in
            for _ in 0..<30 { try patient.lab.server() }
            return (Thresholds(), {})
        },
        LookAlike(.memoryPressure, "full buffers far from the limit") { patient in
            let descriptor = try #require(try patient.lab.loopbackPair().client.descriptor)
            let chunk = [UInt8](repeating: 7, count: 1 << 14)
            try #require(send(descriptor, chunk, chunk.count, Int32(MSG_DONTWAIT)) > 0)
            return (Thresholds(), {})
        },
    ]
}
