/// What a message of the kernel says of a socket; read from a borrowed ``SocketRecord`` and from an owned
/// ``InetSocket`` in the same way.
///
/// Fields of `struct inet_diag_msg` are always there. An attribute is nil where the kernel did not send it: it was
/// not asked for, the kernel is older, or the socket has none.
public protocol SocketFields: ~Escapable {
    /// The transport protocol, which the kernel was asked for and its message does not name.
    var `protocol`: SocketProtocol { get }

    /// Calls `body` with the message: a whole `struct inet_diag_msg`, then well-formed attributes.
    func withMessage<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result
}

/// The offsets of `struct inet_diag_msg` in `<linux/inet_diag.h>`, part of the kernel's ABI.
@usableFromInline
package enum InetDiagMessage {
    @usableFromInline package static let state = 1
    @usableFromInline package static let timer = 2
    @usableFromInline package static let retransmits = 3
    /// `struct inet_diag_sockid`
    @usableFromInline package static let identity = 4
    @usableFromInline package static let sourcePort = 4
    @usableFromInline package static let destinationPort = 6
    @usableFromInline package static let source = 8
    @usableFromInline package static let destination = 24
    @usableFromInline package static let interface = 40
    @usableFromInline package static let cookie = 44
    @usableFromInline package static let expires = 52
    @usableFromInline package static let receiveQueue = 56
    @usableFromInline package static let sendQueue = 60
    @usableFromInline package static let uid = 64
    @usableFromInline package static let inode = 68
    @usableFromInline package static let size = 72
}

extension SocketFields where Self: ~Escapable {
    /// TCP, where a type says nothing else.
    @inlinable public var `protocol`: SocketProtocol { .tcp }

    /// A number of the fixed part. The offset lies within its 72 bytes, which every conforming type has checked.
    @inlinable
    package func header<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> Number {
        withMessage { $0.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self) }
    }

    /// The address family of the socket (`idiag_family`); an IPv6 socket may talk IPv4, see ``IPAddress/isIPv4Mapped``.
    @inlinable public var family: AddressFamily { AddressFamily(rawValue: header(0)) }

    /// The state (`idiag_state`). The kernel answers `TCP_CLOSE` both for a socket that is bound and has never had a
    /// peer and for one whose connection is over; the former is ``TCPState/bound`` here.
    ///
    /// A socket of a protocol without connections is ``TCPState/established`` where it has a peer, else
    /// ``TCPState/closed``, which ``stateName`` calls `UNCONN`.
    @inlinable public var state: TCPState {
        let state = TCPState(rawValue: header(InetDiagMessage.state))
        guard state == .closed, `protocol`.hasTCPStates else { return state }
        let remotePort: UInt16 = header(InetDiagMessage.destinationPort)
        let localPort: UInt16 = header(InetDiagMessage.sourcePort)
        return remotePort == 0 && localPort != 0 ? .bound : .closed
    }

    /// The name of the state as it is printed: of a protocol without connections `ESTABLISHED` or `UNCONN`.
    public var stateName: String { `protocol`.hasTCPStates ? state.description : state.nameWithoutConnections }

    /// The local endpoint (`idiag_src`, `idiag_sport`).
    @inlinable public var local: SocketEndpoint {
        endpoint(address: InetDiagMessage.source, port: InetDiagMessage.sourcePort)
    }

    /// The peer's endpoint (`idiag_dst`, `idiag_dport`); the unspecified address and port 0 where there is no peer.
    @inlinable public var remote: SocketEndpoint {
        endpoint(address: InetDiagMessage.destination, port: InetDiagMessage.destinationPort)
    }

    /// The interface that the socket is bound to, or that its link-local addresses are valid on (`idiag_if`).
    @inlinable public var interface: NetworkInterface? {
        let index: UInt32 = header(InetDiagMessage.interface)
        return index == 0 ? nil : NetworkInterface(rawValue: index)
    }

    /// The kernel's name for the connection (`idiag_cookie`).
    @inlinable public var cookie: SocketCookie {
        SocketCookie(
            rawValue: UInt64(header(InetDiagMessage.cookie) as UInt32)
                | UInt64(header(InetDiagMessage.cookie + 4) as UInt32) << 32
        )
    }

    /// Bytes that the program has not read; for a listener the connections that wait to be accepted (`idiag_rqueue`).
    @inlinable public var receiveQueue: UInt32 { header(InetDiagMessage.receiveQueue) }

    /// Bytes that the peer has not acknowledged; for a listener the limit of its accept queue (`idiag_wqueue`).
    @inlinable public var sendQueue: UInt32 { header(InetDiagMessage.sendQueue) }

    /// The inode of the socket, by which a descriptor in `/proc` names it (`idiag_inode`). Nil where no descriptor
    /// can: half-open requests, connections not yet accepted, orphans and TIME_WAIT.
    @inlinable public var inode: UInt32? {
        let inode: UInt32 = header(InetDiagMessage.inode)
        return inode == 0 ? nil : inode
    }

    /// The user that owns the socket, as seen from the reader's user namespace (`idiag_uid`); of a connection not yet
    /// accepted, the listener's. Nil where the kernel answers 0 for want of a socket: it would not mean root.
    @inlinable public var uid: UInt32? {
        let uid: UInt32 = header(InetDiagMessage.uid)
        return uid == 0 && inode == nil ? nil : uid
    }

    /// The pending timer, nil where none runs (`idiag_timer`, `idiag_expires`, `idiag_retrans`).
    @inlinable public var timer: SocketTimer? {
        let kind: UInt8 = header(InetDiagMessage.timer)
        guard kind != 0 else { return nil }
        return SocketTimer(
            kind: SocketTimer.Kind(rawValue: kind),
            milliseconds: header(InetDiagMessage.expires),
            retransmits: header(InetDiagMessage.retransmits)
        )
    }

    /// Retransmissions in a row so far, or probes for a keepalive or a closed window (`idiag_retrans`).
    @inlinable public var retransmits: UInt8 { header(InetDiagMessage.retransmits) }

    /// Whether the kernel has put a small entry in the socket's place, as in TIME_WAIT and for most orphans in
    /// FIN_WAIT_2. It has no queues, no owner and no `tcp_info`. One dump may show a CLOSED socket whose descriptor is
    /// still open and this entry under the same ``cookie``.
    @inlinable public var isMinisocket: Bool {
        (header(InetDiagMessage.timer) as UInt8) == SocketTimer.Kind.timeWait.rawValue
    }

    /// What finds this very socket again, see ``SockDiagClient/socket(_:extensions:)``.
    public var identity: SocketIdentity {
        SocketIdentity(family: family, local: local, remote: remote, cookie: cookie, interface: interface)
    }

    @inlinable
    package func endpoint(address offset: Int, port: Int) -> SocketEndpoint {
        let address = address(at: offset)
        return SocketEndpoint(
            address,
            port: UInt16(bigEndian: header(port)),
            scope: address.isLinkLocal ? interface : nil
        )
    }

    @inlinable
    package func address(at offset: Int) -> IPAddress {
        guard family == .ipv6 else { return IPAddress(ipv4: UInt32(bigEndian: header(offset))) }
        return IPAddress(ipv6: UInt64(bigEndian: header(offset)), UInt64(bigEndian: header(offset + 8)))
    }
}

extension TCPState {
    /// The name where a socket that is not connected has not been closed, but has no peer.
    var nameWithoutConnections: String { self == .closed ? "UNCONN" : description }
}

extension SocketFields where Self: ~Escapable {
    /// Whether a dump can have shown it: one in CLOSED that is known by its descriptor alone has no cookie, and no queue of
    /// it is known.
    package var isListed: Bool { state != .closed || cookie != .any }
}
