internal import SockDiag
internal import TCPWatch

/// Sockets are put together as the kernel would describe them.
extension RecordFields {
    /// The socket with its owners and its time; nil where it is of a family or protocol that this version does not know.
    func watchedSocket() throws(RecordError) -> WatchedSocket? {
        guard AddressFamily(named: try text("family") ?? "") != nil,
            let transport = SocketProtocol(netid: try text("protocol") ?? "tcp")
        else { return nil }
        var watched = WatchedSocket(socket: try socket(over: transport), owners: try owners(), time: try time())
        watched.incarnation = try count("incarnation")
        return watched
    }

    /// What names a socket. An end that is missing is the unspecified address and port 0, and a cookie
    /// that names none.
    func identity() throws(RecordError) -> SocketIdentity {
        let family = try required("family", try value("family", "family that is known", AddressFamily.init(named:)))
        let interface = try text("interface").flatMap(NetworkInterface.init(placeholder:))
        func endpoint(_ side: String) throws(RecordError) -> SocketEndpoint {
            let address = try address("\(side)_address") ?? (family == .ipv6 ? .anyIPv6 : .anyIPv4)
            guard (address.family == .ipv6) == (family == .ipv6) else {
                throw error("\(side)_address", isNo: "address of the family")
            }
            return SocketEndpoint(
                address,
                port: try count("\(side)_port"),
                scope: address.isLinkLocal ? interface : nil
            )
        }
        return SocketIdentity(
            family: family,
            local: try endpoint("local"),
            remote: try endpoint("remote"),
            cookie: try cookie() ?? .any,
            interface: interface
        )
    }

    func cookie() throws(RecordError) -> SocketCookie? {
        try value("cookie", "number in hexadecimal", SocketCookie.init)
    }

    private func socket(over transport: SocketProtocol) throws(RecordError) -> InetSocket {
        let identity = try identity()
        var state = try required("state", try state("state"))
        // The kernel has one number for both, and the ports tell them apart.
        if state == .bound, transport.hasTCPStates, identity.remote.port == 0, identity.local.port != 0 {
            state = .closed
        }
        let socket = InetSocket(identity, state: state, uid: try number("uid"), inode: try number("inode"))
        var message = SocketMessage(socket)
        message.setQueues(receive: try count("recv_queue"), send: try count("send_queue"))
        if let timer = try object("timer") { message.setTimer(try timer.timer()) }
        try appendDetails(to: &message)
        do throws(KernelError) {
            return try InetSocket(message: message.bytes, protocol: transport)
        } catch {
            throw RecordError(at: 0, error.detail)
        }
    }

    private func timer() throws(RecordError) -> SocketTimer {
        SocketTimer(
            kind: try required("kind", try value("kind", "timer", SocketTimer.Kind.init(named:))),
            milliseconds: try count("expires_ms"),
            retransmits: try count("retransmits")
        )
    }

    private func appendDetails(to message: inout SocketMessage) throws(RecordError) {
        func append(_ name: String, _ type: AttributeType, _ value: [UInt8]?) throws(RecordError) {
            guard let value, !message.append(type, value) else { return }
            throw error(name, isNo: "value of a length that a socket can have")
        }
        try append("tcp_info", .info, try object("tcp_info")?.measurements())
        try append("memory", .socketMemory, try object("memory")?.memory().bytes)
        try append("congestion", .congestion, try text("congestion")?.terminated)
        try append("bbr", .bbr, try object("bbr")?.bbr())
        try append("dctcp", .dctcp, try object("dctcp")?.dctcp())
        try append("vegas", .vegas, try object("vegas")?.vegas())
        try append("ulp", .upperLayerProtocol, try upperLayerProtocol())
        try append("md5", .md5Signatures, try signatures())
        try append("mark", .mark, try number("mark", as: UInt32.self)?.bytes)
        try append("shutdown", .shutdown, try shutdown()?.rawValue.bytes)
        try append("v6only", .ipv6Only, try flag("v6only").map { [$0 ? 1 : 0] })
        try append("tos", .tos, try number("tos", as: UInt8.self)?.bytes)
        try append("tclass", .trafficClass, try number("tclass", as: UInt8.self)?.bytes)
        try append("class_id", .classID, try number("class_id", as: UInt32.self)?.bytes)
        try append("inet_sockopt", .socketOptions, try object("inet_sockopt")?.options().littleEndian.bytes)
    }

    private static let measurements: [String: TCPInfo.Field] = .init(
        TCPInfo.Field.allCases.map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first }
    )

    private func measurements() throws(RecordError) -> [UInt8] {
        var values: [(TCPInfo.Field, UInt64)] = []
        for member in members {
            guard let field = Self.measurements[member.name], let value = try number(member.name, as: UInt64.self)
            else {
                continue
            }
            guard value <= field.greatest else { throw error(member.name, isNo: "number up to \(field.greatest)") }
            values.append((field, value))
        }
        return TCPInfo.bytes(of: values)
    }

    func memory() throws(RecordError) -> SocketMemory {
        SocketMemory(
            rmemAlloc: try count("rmem_alloc"),
            rcvbuf: try count("rcvbuf"),
            wmemAlloc: try count("wmem_alloc"),
            sndbuf: try count("sndbuf"),
            fwdAlloc: try count("fwd_alloc"),
            wmemQueued: try count("wmem_queued"),
            optmem: try count("optmem"),
            backlog: try count("backlog"),
            drops: try number("drops")
        )
    }

    /// `struct tcp_bbr_info`
    private func bbr() throws(RecordError) -> [UInt8] {
        let bandwidth: UInt64 = try count("bw")
        var bytes = UInt32(truncatingIfNeeded: bandwidth).bytes + UInt32(truncatingIfNeeded: bandwidth >> 32).bytes
        for name in ["min_rtt", "pacing_gain", "cwnd_gain"] { bytes += (try count(name) as UInt32).bytes }
        return bytes
    }

    /// `struct tcp_dctcp_info`
    private func dctcp() throws(RecordError) -> [UInt8] {
        let isEnabled = try flag("enabled") ?? false
        var bytes = UInt16(isEnabled ? 1 : 0).bytes + (try count("ce_state") as UInt16).bytes
        for name in ["alpha", "ab_ecn", "ab_tot"] { bytes += (try count(name) as UInt32).bytes }
        return bytes
    }

    /// `struct tcpvegas_info`
    private func vegas() throws(RecordError) -> [UInt8] {
        let isEnabled = try flag("enabled") ?? false
        var bytes = UInt32(isEnabled ? 1 : 0).bytes
        for name in ["rttcnt", "rtt", "minrtt"] { bytes += (try count(name) as UInt32).bytes }
        return bytes
    }

    private func upperLayerProtocol() throws(RecordError) -> [UInt8]? {
        guard let name = try text("ulp") else { return nil }
        let parts: [(UInt16, [UInt8]?)] = [
            (1, name.terminated), (2, try object("tls")?.tls()), (3, try object("mptcp")?.subflow()),
        ]
        return try nested(parts, in: "ulp")
    }

    /// Attributes within one; those without a value are left out.
    private func nested(_ parts: [(UInt16, [UInt8]?)], in name: String) throws(RecordError) -> [UInt8] {
        var bytes: [UInt8] = []
        for case (let type, let value?) in parts {
            guard let attribute = SocketMessage.attribute(type, value) else {
                throw error(name, isNo: "value of a length that a socket can have")
            }
            bytes += attribute
        }
        return bytes
    }

    /// `TLS_INFO_*`
    private func tls() throws(RecordError) -> [UInt8] {
        let parts: [(UInt16, [UInt8]?)] = [
            (1, try value("version", "version of TLS", TLSInfo.version(named:))?.bytes),
            (2, try value("cipher", "cipher of TLS", TLSInfo.cipher(named:))?.bytes),
            (3, try value("txconf", "configuration of TLS", TLSInfo.configuration(named:))?.bytes),
            (4, try value("rxconf", "configuration of TLS", TLSInfo.configuration(named:))?.bytes),
        ]
        return try nested(parts, in: "tls")
    }

    /// `MPTCP_SUBFLOW_ATTR_*`
    private func subflow() throws(RecordError) -> [UInt8] {
        let parts: [(UInt16, [UInt8]?)] = [
            (1, try number("token_rem", as: UInt32.self)?.bytes), (2, try number("token_loc", as: UInt32.self)?.bytes),
            (3, try number("relwrite_seq", as: UInt32.self)?.bytes), (4, try number("map_seq", as: UInt64.self)?.bytes),
            (5, try number("map_sfseq", as: UInt32.self)?.bytes), (6, try number("ssn_offset", as: UInt32.self)?.bytes),
            (7, try number("map_datalen", as: UInt16.self)?.bytes),
            (8, try text("flags").map(MPTCPSubflow.flags(ofLetters:))?.bytes),
            (9, try number("id_rem", as: UInt8.self)?.bytes), (10, try number("id_loc", as: UInt8.self)?.bytes),
        ]
        return try nested(parts, in: "mptcp")
    }

    /// `struct tcp_diag_md5sig`, without keys.
    private func signatures() throws(RecordError) -> [UInt8]? {
        guard let networks = try words("md5") else { return nil }
        var bytes: [UInt8] = []
        for network in networks {
            let parts = network.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = UInt8(parts[1]) else {
                throw error("md5", isNo: "list of networks")
            }
            bytes += MD5Signature(address: address, prefixLength: length, keyLength: 0).bytes
        }
        return bytes
    }

    func shutdown() throws(RecordError) -> ShutdownDirections? {
        try value("shutdown", "direction") { word in
            switch word {
            case "none": []
            case "receive": .receive
            case "send": .send
            case "both": [.receive, .send]
            default: nil
            }
        }
    }

    private func options() throws(RecordError) -> UInt16 {
        var options: SocketOptions = []
        for (name, option) in SocketOptions.named where try flag("\(name)") == true { options.insert(option) }
        return options.rawValue
    }
}

extension SocketProtocol {
    /// The protocol of the letters that records have for it.
    fileprivate init?(netid letters: String) {
        let known: [SocketProtocol] = [.tcp, .udp, .mptcp, .raw, .udpLite]
        guard let match = known.first(where: { "\($0.netid)" == letters }) else { return nil }
        self = match
    }
}

extension AddressFamily {
    /// The family of a record's name.
    fileprivate init?(named name: String) {
        switch name {
        case "ipv4": self = .ipv4
        case "ipv6": self = .ipv6
        default: return nil
        }
    }
}

extension NetworkInterface {
    /// Reads `if<n>`, which stands for an interface that has no name.
    fileprivate init?(placeholder name: String) {
        guard name.hasPrefix("if"), let index = UInt32(name.dropFirst(2)), index > 0, name == "if\(index)" else {
            return nil
        }
        self.init(rawValue: index)
    }
}

extension SocketTimer.Kind {
    /// The kind of a record's name.
    fileprivate init?(named name: String) {
        let known = [SocketTimer.Kind.retransmission, .keepalive, .timeWait, .windowProbe]
        if let kind = known.first(where: { $0.description == name }) {
            self = kind
        } else {
            guard name.hasPrefix("timer_"), let number = UInt8(name.dropFirst(6)), number > 0 else { return nil }
            self.init(rawValue: number)
        }
    }
}

extension SocketMemory {
    /// The attribute (`SK_MEMINFO_*`).
    fileprivate var bytes: [UInt8] {
        let fields = [rmemAlloc, rcvbuf, wmemAlloc, sndbuf, fwdAlloc, wmemQueued, optmem, backlog]
        return (fields + [drops].compactMap(\.self)).flatMap(\.bytes)
    }
}

extension FixedWidthInteger where Self: BitwiseCopyable {
    /// The bytes in the machine's order.
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: self) { [UInt8]($0) } }
}

extension String {
    /// The bytes with a NUL behind them.
    fileprivate var terminated: [UInt8] { Array(utf8) + [0] }
}
