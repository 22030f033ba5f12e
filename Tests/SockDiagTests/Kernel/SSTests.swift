import Glibc
import SockDiag
import Testing

@testable import TCPStateLab

/// The same sockets as `ss` of iproute2 reads them, wherever it prints a field.
struct SSTests {
    /// A line of `ss -tanieomOH`: five columns, then words, `key:value` pairs and `key value` rates.
    private struct Line {
        var columns: [String]
        var words: Set<String>
        var values: [String: String] = [:]

        init(_ text: Substring) {
            let parts = text.split(separator: " ").map(String.init)
            columns = Array(parts.prefix(5))
            words = Set(parts.dropFirst(5))
            for part in parts.dropFirst(5) {
                guard let colon = part.firstIndex(of: ":") else { continue }
                values[String(part[..<colon])] = String(part[part.index(after: colon)...])
            }
            for (key, value) in zip(parts, parts.dropFirst()) where key.hasSuffix("_rate") { values[key] = value }
        }
    }

    private func lines(_ lab: Lab) throws -> [Line] {
        let paths = ["/usr/bin/ss", "/usr/sbin/ss", "/bin/ss", "/sbin/ss"]
        guard let path = paths.first(where: { access($0, X_OK) == 0 }) else {
            try Test.cancel("ss (iproute2) is not installed")
        }
        let result = try lab.spawn(path, ["-tanieomOH"])
        return result.standardOutput.split(separator: "\n").map(Line.init)
    }

    /// The keys of `ss`, with the field and what its number is divided by.
    private static let fields: [(String, TCPInfo.Field, Double)] = [
        ("rto", .rto, 1000), ("ato", .ato, 1000), ("mss", .sndMss, 1), ("pmtu", .pmtu, 1), ("rcvmss", .rcvMss, 1),
        ("advmss", .advmss, 1), ("cwnd", .sndCwnd, 1), ("ssthresh", .sndSsthresh, 1), ("bytes_sent", .bytesSent, 1),
        ("bytes_retrans", .bytesRetrans, 1), ("bytes_acked", .bytesAcked, 1), ("bytes_received", .bytesReceived, 1),
        ("segs_out", .segsOut, 1), ("segs_in", .segsIn, 1), ("data_segs_out", .dataSegsOut, 1),
        ("data_segs_in", .dataSegsIn, 1), ("unacked", .unacked, 1), ("lost", .lost, 1), ("sacked", .sacked, 1),
        ("dsack_dups", .dsackDups, 1), ("reordering", .reordering, 1), ("reord_seen", .reordSeen, 1),
        ("rcv_ooopack", .rcvOoopack, 1), ("rcv_rtt", .rcvRtt, 1000), ("rcv_space", .rcvSpace, 1),
        ("rcv_ssthresh", .rcvSsthresh, 1), ("notsent", .notsentBytes, 1), ("minrtt", .minRtt, 1000),
        ("snd_wnd", .sndWnd, 1), ("delivered", .delivered, 1), ("delivered_ce", .deliveredCe, 1),
        ("backoff", .backoff, 1), ("pacing_rate", .pacingRate, 0.125), ("delivery_rate", .deliveryRate, 0.125),
    ]

    /// Compares what `ss` printed with the row; which keys of ``fields`` were compared.
    private func compare(_ line: Line, _ row: InetSocket) throws -> Set<String> {
        #expect(TCPState(line.columns[0]) == (row.state == .bound ? .closed : row.state))
        #expect(line.columns[1...2] == ["\(row.receiveQueue)", "\(row.sendQueue)"])
        #expect(line.values["ino"] == "\(row.inode ?? 0)")
        #expect(line.values["uid"].map { UInt32($0) } ?? 0 == row.uid ?? 0)
        if let timer = row.timer {
            let parts = (line.values["timer"] ?? "").split { "(),".contains($0) }.map(String.init)
            #expect(parts.first == timer.kind.description && parts.last == "\(timer.retransmits)")
        } else {
            #expect(line.values["timer"] == nil)
        }
        if let memory = row.memory {
            let text =
                "(r\(memory.rmemAlloc),rb\(memory.rcvbuf),t\(memory.wmemAlloc),tb\(memory.sndbuf),"
                + "f\(memory.fwdAlloc),w\(memory.wmemQueued),o\(memory.optmem),bl\(memory.backlog),d\(memory.drops ?? 0))"
            #expect(line.values["skmem"] == text)
        }
        guard let info = row.tcpInfo else { return [] }
        #expect(row.congestion.map(line.words.contains) == true)
        #expect(line.words.contains("ts") == info.options.contains(.timestamps))
        #expect(line.words.contains("sack") == info.options.contains(.sack))
        if let scale = line.values["wscale"] { #expect(scale == "\(info[.sndWscale] ?? 99),\(info[.rcvWscale] ?? 99)") }
        var compared: Set<String> = []
        for (key, field, divisor) in Self.fields {
            guard let text = line.values[key] else { continue }
            let digits = text.hasSuffix("bps") ? text.dropLast(3) : text[...]
            let value = Double(try #require(info[field])) / divisor
            // ss prints six digits of what is not whole.
            #expect(abs(try #require(Double(digits)) - value) <= abs(value) * 1e-5, "\(key):\(text) is not \(value)")
            compared.insert(key)
        }
        if let rtt = line.values["rtt"]?.split(separator: "/").compactMap({ Double($0) }) {
            let values = [info[.rtt], info[.rttvar]].map { Double($0 ?? 0) / 1000 }
            #expect(rtt.count == 2 && zip(rtt, values).allSatisfy { abs($0 - $1) <= $1 * 1e-5 })
            compared.insert("rtt")
        }
        return compared
    }

    @Test(arguments: [LabNetwork.ipv4, .ipv6, .ipv4Mapped])
    func `A connection is the same to both`(network: LabNetwork) throws {
        try Lab.with { lab in
            let pair = try lab.loopbackPair(over: network)
            for size in [1, 1000, 100_000] {
                try pair.send([UInt8](repeating: 7, count: size), from: .client)
                try pair.receive(size, at: .accepted)
            }
            try pair.send([1, 2, 3], from: .accepted)
            try pair.settle()
            let printed = try lines(lab)
            let rows = try lab.dump(SocketQuery(extensions: .all))
            #expect(printed.count == 3 && rows.count == 3)
            for row in rows {
                let line = try #require(printed.first { $0.values["sk"] == row.cookie.description })
                let compared = try compare(line, row)
                let isDual = row.isIPv6Only == false  // ss prints a star for both families' wildcard
                #expect(line.columns[3] == (isDual ? "*:\(row.local.port)" : row.local.description))
                if row.state == .established {
                    #expect(line.columns[4] == row.remote.description)
                    let always: Set = [
                        "rto", "rtt", "mss", "pmtu", "rcvmss", "advmss", "cwnd", "segs_out", "segs_in", "minrtt",
                    ]
                    #expect(compared.isSuperset(of: always), "\(line.values)")
                }
            }
        }
    }

    @Test func `Every state is the same to both`() throws {
        try Lab.with { lab in
            for state in StateTests.states { try lab.client(in: state) }
            try lab.server(in: .synReceived)
            let printed = try lines(lab)
            let rows = try lab.dump(SocketQuery(states: .all.subtracting(.bound), extensions: .memory))
            #expect(printed.count == rows.count && rows.count == StateTests.states.count + 2)
            for row in rows {
                let line = try #require(printed.first { $0.values["sk"] == row.cookie.description })
                #expect(TCPState(line.columns[0]) == row.state)
                #expect(line.values["ino"] == "\(row.inode ?? 0)")
                #expect(line.columns[3] == row.local.description)
            }
        }
    }
}
