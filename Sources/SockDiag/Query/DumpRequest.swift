internal import CMnl
internal import LinuxLibC

/// The requests of `<linux/inet_diag.h>` as bytes, built by libmnl.
struct DumpRequest {
    /// Which of the kernel's two requests is sent.
    enum Form: Equatable {
        /// `TCPDIAG_GETSOCK`, the first one: walks IPv4 and IPv6 in one pass, for TCP alone.
        case bothFamilies
        /// `SOCK_DIAG_BY_FAMILY` (kernel 3.3).
        case family(AddressFamily)
    }

    /// The message; its type is the answer's type too.
    let bytes: [UInt8]
    let type: UInt16
    /// The operation for errors, after "cannot".
    let operation: String

    /// A dump of what passes the kernel's filter: the operations of `INET_DIAG_REQ_BYTECODE`.
    init(_ query: SocketQuery, operations: [UInt8] = [], form: Form, sequence: UInt32) {
        var id = inet_diag_sockid()
        id.idiag_sport = (query.localPort ?? 0).bigEndian
        id.idiag_dport = (query.remotePort ?? 0).bigEndian
        let flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
        switch form {
        case .bothFamilies:
            var request = inet_diag_req()
            request.idiag_family = UInt8(AF_INET)
            request.idiag_ext = query.extensions.rawValue
            request.id = id
            request.idiag_states = query.states.rawValue
            type = UInt16(TCPDIAG_GETSOCK)
            operation = "dump the \(query.protocol) sockets"
            bytes = Self.message(
                type: type,
                flags: flags,
                sequence: sequence,
                header: request,
                protocol: nil,
                operations: operations
            )
        case .family(let family):
            type = UInt16(SOCK_DIAG_BY_FAMILY)
            operation = "dump the \(family) \(query.protocol) sockets"
            bytes = Self.message(
                type: type,
                flags: flags,
                sequence: sequence,
                header: Self.request(family, query.protocol, query.states, query.extensions, id),
                protocol: query.protocol,
                operations: operations
            )
        }
    }

    /// An exact lookup.
    init(_ identity: SocketIdentity, extensions: SocketExtensions, sequence: UInt32) {
        type = UInt16(SOCK_DIAG_BY_FAMILY)
        operation = "look up the socket \(identity.cookie)"
        bytes = Self.message(
            type: type,
            flags: UInt16(NLM_F_REQUEST),
            sequence: sequence,
            header: Self.request(identity.family, .tcp, .all, extensions, inet_diag_sockid(identity)),
            protocol: .tcp
        )
    }

    private static func request(
        _ family: AddressFamily,
        _ transport: SocketProtocol,
        _ states: TCPStateSet,
        _ extensions: SocketExtensions,
        _ id: inet_diag_sockid
    ) -> inet_diag_req_v2 {
        var request = inet_diag_req_v2()
        request.sdiag_family = family.rawValue
        request.sdiag_protocol = transport.headerNumber
        request.idiag_ext = extensions.rawValue
        request.idiag_states = states.rawValue
        request.id = id
        return request
    }

    private static func message<Header: BitwiseCopyable>(
        type: UInt16,
        flags: UInt16,
        sequence: UInt32,
        header: Header,
        protocol: SocketProtocol?,
        operations: [UInt8] = []
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 256 + operations.count) { buffer, count in
            let message = mnl_nlmsg_put_header(buffer.baseAddress)
            guard let message, let body = mnl_nlmsg_put_extra_header(message, MemoryLayout<Header>.size) else { return }
            message.pointee.nlmsg_type = type
            message.pointee.nlmsg_flags = flags
            message.pointee.nlmsg_seq = sequence
            body.storeBytes(of: header, as: Header.self)
            if let transport = `protocol`, transport.rawValue > UInt8.max {
                mnl_attr_put_u32(message, UInt16(INET_DIAG_REQ_PROTOCOL), UInt32(transport.rawValue))
            }
            if !operations.isEmpty {
                mnl_attr_put(message, UInt16(INET_DIAG_REQ_BYTECODE), operations.count, operations)
            }
            count = Int(message.pointee.nlmsg_len)
        }
    }
}

extension SocketProtocol {
    /// What fits in the request's byte; larger numbers go into an attribute of their own, which wins (kernel 5.9). For an
    /// older kernel the byte then names no protocol: the low bits of MPTCP's number would name TCP.
    fileprivate var headerNumber: UInt8 { UInt8(exactly: rawValue) ?? 0 }
}

extension inet_diag_sockid {
    fileprivate init(_ identity: SocketIdentity) {
        self.init()
        idiag_sport = identity.local.port.bigEndian
        idiag_dport = identity.remote.port.bigEndian
        idiag_if = identity.interface?.rawValue ?? 0
        idiag_cookie = (
            UInt32(truncatingIfNeeded: identity.cookie.rawValue),
            UInt32(truncatingIfNeeded: identity.cookie.rawValue >> 32)
        )
        idiag_src = identity.local.address.networkWords
        idiag_dst = identity.remote.address.networkWords
    }
}

extension IPAddress {
    /// The bytes in network order as four words; IPv4 is in the first.
    fileprivate var networkWords: (UInt32, UInt32, UInt32, UInt32) {
        guard family == .ipv6 else { return (UInt32(truncatingIfNeeded: low).bigEndian, 0, 0, 0) }
        return (
            UInt32(truncatingIfNeeded: high >> 32).bigEndian, UInt32(truncatingIfNeeded: high).bigEndian,
            UInt32(truncatingIfNeeded: low >> 32).bigEndian, UInt32(truncatingIfNeeded: low).bigEndian
        )
    }
}
