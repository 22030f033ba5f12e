package import SockDiag

/// What a program has written of one event: the kernel's numbers, not interpreted.
///
/// A record lies in the ring buffer; it is read field by field, by offset, and is valid until ``KernelTrace/read(_:)``
/// goes on.
package struct TraceRecord: ~Copyable, ~Escapable {
    /// Which program has written it.
    package enum Event: UInt8, CaseIterable, Sendable {
        /// `inet_sock_set_state`: a socket's state changed.
        case transition
        /// `tcp_retransmit_synack`: a half-open request was answered once more.
        case requestRetransmitted
        /// `tcp_retransmit_skb`: a segment was sent once more, in SYN_SENT a SYN; any other with
        /// ``TraceFilter/reportsRetransmissions`` alone.
        case retransmitted
        /// `tcp_receive_reset`, for a socket in SYN_SENT: the peer answered its SYN by a RST, which ends it now.
        case resetReceived
        /// `tcp_send_reset`: a RST was sent, just before or after the transition that it belongs to, if to any.
        case resetSent
        /// `tcp_destroy_sock`, for a socket that a program has closed and that has no connection, or not any more.
        case destroyed
    }

    /// The offsets of the fields, by which the programs write too.
    enum Field {
        static let time = 0
        static let cookie = 8
        static let namespace = 16
        static let event = 20
        static let family = 21
        static let from = 22
        static let to = 23
        static let localPort = 24
        static let remotePort = 26
        static let uid = 28
        static let local = 32
        static let remote = 48
        static let interface = 64
        static let pid = 68
        static let error = 72
        static let flags = 76
        static let rtt = 80
        static let retransmits = 84
        static let bytesSent = 88
        static let bytesReceived = 96
        static let segmentsOut = 104
        static let segmentsIn = 108
        static let timeWaits = 112
        static let timeWaitLimit = 116
        static let name = 120
        static let softError = 136
        static let hasFile = 140
        static let size = 144
    }

    private let bytes: RawSpan
    /// Which program has written it.
    package let event: Event

    /// Nil where the bytes are no record.
    @_lifetime(copy bytes)
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= Field.size, let number = bytes.number(at: Field.event, as: UInt8.self),
            let event = Event(rawValue: number)
        else { return nil }
        self.bytes = bytes
        self.event = event
    }

    /// The field at an offset; all lie within the size that was checked.
    private func field<Number: FixedWidthInteger & BitwiseCopyable>(_ offset: Int) -> Number {
        bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)
    }
}

extension TraceRecord {
    /// When it was, `CLOCK_MONOTONIC`, nanoseconds.
    package var time: UInt64 { field(Field.time) }
    /// The connection's name.
    package var cookie: SocketCookie { SocketCookie(rawValue: field(Field.cookie)) }
    /// The network namespace, by ``/SockDiag/NetworkNamespace/inode``.
    package var namespace: UInt32 { field(Field.namespace) }
    /// The state before the transition; of any other event, the state then.
    package var from: TCPState { TCPState(rawValue: field(Field.from)) }
    /// The state after it.
    package var to: TCPState { TCPState(rawValue: field(Field.to)) }
    /// The owner, as the first user namespace numbers it. Of a request it says nothing.
    package var uid: UInt32 { field(Field.uid) }
    /// The process whose call caused the transition, by its number in ``TraceFilter/pidNamespace``; nil where it has none
    /// there, and for what a segment or a timer did.
    package var pid: Int32? { caller.flatMap { $0 > 0 ? $0 : nil } }

    /// The same, and also a process that has no number there: negative then, with the bits of the number of the PID
    /// namespace's file that it is in, or -1 where the kernel's types do not show it.
    package var caller: Int32? {
        let caller: Int32 = field(Field.pid)
        return caller == 0 ? nil : caller
    }

    /// What the process of ``pid`` is called, as its main thread bears it; nil where the kernel's types do not show it.
    package var processName: ProcessName? {
        guard (field(Field.pid) as Int32) != 0 else { return nil }
        let (low, high): (UInt64, UInt64) = (field(Field.name), field(Field.name + 8))
        let name = withUnsafeBytes(of: (low, high)) { ProcessName(bytes: $0) }
        return name.isEmpty ? nil : name
    }

    /// The local port; 0 where the kernel has not chosen it yet.
    package var localPort: UInt16 {
        let port: UInt16 = field(Field.localPort)
        // `skc_num` is in the machine's order, `inet_sport` in the network's.
        return event == .requestRetransmitted || event == .destroyed ? port : UInt16(bigEndian: port)
    }

    /// Of a socket that was ``Event/destroyed``, whether it was bound and no more.
    package var isBoundAlone: Bool { localPort != 0 && (field(Field.remotePort) as UInt16) == 0 }

    /// Family, endpoints, cookie and interface.
    package var identity: SocketIdentity {
        let family = AddressFamily(rawValue: field(Field.family))
        let index: UInt32 = field(Field.interface)
        let interface = index == 0 ? nil : NetworkInterface(rawValue: index)
        let (local, remote) = (address(Field.local, family), address(Field.remote, family))
        return SocketIdentity(
            family: family,
            local: SocketEndpoint(local, port: localPort, scope: local.isLinkLocal ? interface : nil),
            remote: SocketEndpoint(
                remote,
                port: UInt16(bigEndian: field(Field.remotePort)),
                scope: remote.isLinkLocal ? interface : nil
            ),
            cookie: cookie,
            interface: interface
        )
    }

    private func address(_ offset: Int, _ family: AddressFamily) -> IPAddress {
        guard family == .ipv6 else { return IPAddress(ipv4: UInt32(bigEndian: field(offset))) }
        return IPAddress(ipv6: UInt64(bigEndian: field(offset)), UInt64(bigEndian: field(offset + 8)))
    }

    /// Whether what was ``Event/retransmitted`` is a tail loss probe.
    package var isTailLossProbe: Bool { (field(Field.error) as UInt32) != 0 }

    /// Why a RST was sent: a number of the kernel's `enum sk_rst_reason`, which ``KernelTrace/resetReasons`` names.
    package var resetReason: UInt32 { field(Field.error) }

    /// The smoothed round-trip time, microseconds; 0 where none was measured. The kernel keeps its eightfold.
    package var rttMicroseconds: UInt32 { (field(Field.rtt) as UInt32) >> 3 }
}

/// What the record of a socket's last transition, the one to CLOSED, holds beside.
extension TraceRecord {
    /// The error that the kernel left in the socket (`sk_err`): what ended it, 0 where nothing did but FINs or the
    /// program.
    package var error: Int32 { field(Field.error) }
    /// Whether the peer's FIN has come (`SOCK_DONE`).
    package var isPeerDone: Bool { (field(Field.flags) as UInt32) & 2 != 0 }
    /// Whether no program holds it any more (`SOCK_DEAD`).
    package var isOrphan: Bool { (field(Field.flags) as UInt32) & 1 != 0 }
    /// What ICMP has said of a segment, and has ended nothing (`sk_err_soft`); 0 for nothing, or where the program has asked
    /// for it (`SO_ERROR`).
    package var softError: Int32 { field(Field.softError) }
    /// Whether no program has accepted it yet: it waits in a listener's queue.
    package var isUnaccepted: Bool { !isOrphan && (field(Field.hasFile) as UInt32) == 0 }
    /// Whether TIME_WAITs were below `tcp_max_tw_buckets`, so that the kernel has made one; nil where the kernel's types
    /// do not say where it counts them.
    package var isBelowTimeWaitLimit: Bool? {
        let (count, limit): (UInt32, UInt32) = (field(Field.timeWaits), field(Field.timeWaitLimit))
        return limit == 0 ? nil : count <= limit
    }
    /// Segments retransmitted.
    package var retransmits: UInt32 { field(Field.retransmits) }
    /// Payload sent, bytes, with what was retransmitted.
    package var bytesSent: UInt64 { field(Field.bytesSent) }
    /// Payload received, bytes, and one for the peer's FIN.
    package var bytesReceived: UInt64 { field(Field.bytesReceived) }
    /// Segments sent.
    package var segmentsOut: UInt32 { field(Field.segmentsOut) }
    /// Segments received.
    package var segmentsIn: UInt32 { field(Field.segmentsIn) }
}
