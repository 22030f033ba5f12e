extension SocketFields where Self: ~Escapable {
    /// Calls `body` with an attribute's value; nil where the message has no such attribute.
    @inlinable
    public func withAttribute<Result>(_ type: AttributeType, _ body: (RawSpan) -> Result?) -> Result? {
        withMessage { message in
            let attributes = Attributes(message.extracting(droppingFirst: InetDiagMessage.size))
            guard let value = attributes.value(of: type) else { return nil }
            return body(value)
        }
    }

    /// Calls `body` with the type and the value of every attribute, also of those that this version does not know.
    @inlinable
    public func forEachAttribute(_ body: (AttributeType, RawSpan) -> Void) {
        withMessage { message in
            Attributes(message.extracting(droppingFirst: InetDiagMessage.size)).forEach(body)
        }
    }

    /// An attribute's value as it was sent; nil where the message has no such attribute.
    public func attribute(_ type: AttributeType) -> [UInt8]? { withAttribute(type) { $0.array() } }

    @inlinable
    package func number<Number: FixedWidthInteger & BitwiseCopyable>(_ type: AttributeType) -> Number? {
        withAttribute(type) { $0.number(at: 0) }
    }

    /// The kernel's measurements of a TCP connection (`INET_DIAG_INFO`); never there for requests, TIME_WAIT and other
    /// minisockets, nor for another protocol.
    @inlinable public var tcpInfo: TCPInfo? { `protocol` == .tcp ? withAttribute(.info) { TCPInfo($0) } : nil }

    /// The socket's memory and its limits (`INET_DIAG_SKMEMINFO`).
    @inlinable public var memory: SocketMemory? { withAttribute(.socketMemory) { SocketMemory($0) } }

    /// The memory that its queues hold (`INET_DIAG_MEMINFO`), the older and shorter form of ``memory``.
    @inlinable public var queueMemory: QueueMemory? { withAttribute(.memory) { QueueMemory($0) } }

    /// The name of the congestion control algorithm: `cubic`, `bbr` (`INET_DIAG_CONG`).
    @inlinable public var congestion: String? { withAttribute(.congestion) { $0.text() } }

    /// What the congestion control algorithm measures, where it is one that reports it.
    @inlinable public var congestionInfo: CongestionInfo? {
        withAttribute(.bbr) { BBRInfo($0).map(CongestionInfo.bbr) }
            ?? withAttribute(.dctcp) { DCTCPInfo($0).map(CongestionInfo.dctcp) }
            ?? withAttribute(.vegas) { VegasInfo($0).map(CongestionInfo.vegas) }
    }

    /// The type of service byte of sent IPv4 packets (`IP_TOS`).
    @inlinable public var tos: UInt8? { number(.tos) }

    /// The traffic class byte of sent IPv6 packets (`IPV6_TCLASS`).
    @inlinable public var trafficClass: UInt8? { number(.trafficClass) }

    /// Which directions are shut down (`INET_DIAG_SHUTDOWN`, kernel 4.1).
    @inlinable public var shutdown: ShutdownDirections? { (number(.shutdown) as UInt8?).map(ShutdownDirections.init) }

    /// Whether an IPv6 listener refuses IPv4 (`IPV6_V6ONLY`); only of LISTEN and CLOSED sockets.
    @inlinable public var isIPv6Only: Bool? { (number(.ipv6Only) as UInt8?).map { $0 != 0 } }

    /// The firewall mark (`SO_MARK`); readable with CAP_NET_ADMIN alone (kernel 4.9).
    @inlinable public var mark: UInt32? { number(.mark) }

    /// The class of the network scheduler: `SO_PRIORITY`, or the net_cls cgroup's (kernel 4.13).
    @inlinable public var classID: UInt32? { number(.classID) }

    /// The cgroup (version 2) that the socket was made in, by its id (kernel 5.9); ``CgroupPaths`` names it.
    @inlinable public var cgroupID: UInt64? { number(.cgroupID) }

    /// The socket options that the kernel reports as bits (kernel 5.10).
    @inlinable public var options: SocketOptions? {
        (number(.socketOptions) as UInt16?).map { SocketOptions(rawValue: UInt16(littleEndian: $0)) }
    }

    /// The protocol within a raw socket (`INET_DIAG_PROTOCOL`); TCP sockets have none.
    @inlinable public var innerProtocol: UInt8? { number(.protocol) }

    /// The protocol above TCP that the kernel runs: TLS, a subflow of MPTCP (kernel 5.4).
    @inlinable public var upperLayerProtocol: UpperLayerProtocol? {
        withAttribute(.upperLayerProtocol) { UpperLayerProtocol($0) }
    }

    /// The peers for which segments are signed (`TCP_MD5SIG`, RFC 2385); readable with CAP_NET_ADMIN alone
    /// (kernel 4.14). Empty where there are none. The keys themselves are in ``attribute(_:)`` alone.
    @inlinable public var md5Signatures: [MD5Signature] {
        withAttribute(.md5Signatures) { MD5Signature.all(in: $0) } ?? []
    }
}
