internal import SockDiag
internal import TCPStateLab
internal import TCPWatch
internal import Testing

/// With SYN cookies the kernel keeps no request: of the half-open connection nothing is known but that it was there.
@Suite("A request that nobody saw is dated after what it follows", .timeLimit(.minutes(30)))
struct SYNCookieTests {
    /// 1: requests are kept as long as there is room. 2: none is ever kept.
    /// For a listener of both families, the client's SYN and its child have different forms of one address.
    @Test(arguments: [(1, false), (2, false), (2, true)])
    func `No request is reported before its client's SYN nor before its listener, and none as a report of the kernel`(
        syncookies: Int,
        isDualStack: Bool
    ) async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.tcp_syncookies", syncookies)
        let watch = try AwaitedWatch(lab, .trace)
        try await watch.begin()
        // A listener each: its LISTEN and the client's SYN come right after one another.
        let rounds = 30
        var servers: [(child: SocketCookie, client: SocketCookie, listener: SocketCookie)] = []
        for _ in 0..<rounds {
            let listener = try lab.loopbackListener(isDualStack: isDualStack)
            let client = try lab.unconnected()
            try client.connect(to: SocketEndpoint(.loopbackIPv4, port: listener.local.port))
            let child = try lab.accepted(from: listener)
            servers.append((try child.cookie(), try client.cookie(), try listener.cookie()))
            child.close()
        }
        try await watch.transition(of: servers[rounds - 1].client, to: .closeWait)
        try await watch.passDumps(2, in: lab)
        var faults: [String] = []
        for (child, client, listener) in servers {
            let request = watch.lives(of: child).first?.transitions.first
            let syn = watch.lives(of: client).first?.transitions.first
            let listening = watch.lives(of: listener).first?.transitions.first
            guard let request, let syn, let listening, request.path == "CLOSED>SYN_RCVD", syn.to == .synSent else {
                faults.append("of \(child) or \(client) the first transition is missing")
                continue
            }
            let time = request.time.monotonicNanoseconds
            // Of a transition that the kernel passed over the time is when it was found out.
            for before in [syn, listening] where before.certainty == .exact {
                guard time < before.time.monotonicNanoseconds else { continue }
                faults.append("\(child): \(before.time.monotonicNanoseconds - time) ns before \(before.to)")
            }
            // A dump may have met the request where the kernel keeps it.
            let isKnown = request.certainty == .derived || syncookies == 1 && request.certainty == .observed
            if !isKnown { faults.append("\(child): \(request.certainty)") }
        }
        #expect(faults.isEmpty, "\(faults.count) faults")
        let others = watch.faults
        #expect(others.isEmpty)
        #expect(watch.losses.isEmpty)
    }
}
