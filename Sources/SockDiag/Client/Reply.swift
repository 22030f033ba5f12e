/// The kernel's answer to one request, datagram by datagram.
///
/// Source: `struct nlmsghdr`, `struct nlmsgerr` and `NLMSGERR_ATTR_*` of `<linux/netlink.h>`.
struct Reply {
    /// The type of the answer's messages, the same as the request's.
    let type: UInt16
    /// The request's sequence number; what bears another one answers something else.
    let sequence: UInt32
    /// The operation for errors, after "cannot".
    let operation: String
    /// The protocol of the sockets in the answer.
    let `protocol`: SocketProtocol
    /// What helps where the kernel does not know what it was asked for; nil for the usual remedy.
    let remedyForUnsupported: String?
    /// Whether the kernel marked a message with `NLM_F_DUMP_INTR`: what was dumped changed on the way.
    private(set) var wasInterrupted = false
    /// The number of sockets that were read.
    private(set) var count = 0

    init(
        type: UInt16,
        sequence: UInt32,
        operation: String,
        protocol: SocketProtocol = .tcp,
        remedyForUnsupported: String? = nil
    ) {
        self.type = type
        self.sequence = sequence
        self.operation = operation
        self.protocol = `protocol`
        self.remedyForUnsupported = remedyForUnsupported ?? `protocol`.remedyForUnsupported
    }

    /// What the reader of a datagram is to do next.
    enum Progress { case more, done }

    private static let headerSize = 16

    /// Reads one datagram, and calls `body` with each socket in it.
    mutating func read(
        _ datagram: RawSpan,
        _ body: (borrowing SocketRecord) -> Void
    ) throws(KernelError) -> Progress {
        let transport = `protocol`
        return try readMessages(datagram) { message throws(KernelError) in
            body(try SocketRecord(message: message, protocol: transport))
        }
    }

    /// Reads one datagram, and calls `body` with each message in it that describes a socket.
    mutating func readMessages(
        _ datagram: RawSpan,
        _ body: (RawSpan) throws(KernelError) -> Void
    ) throws(KernelError) -> Progress {
        var offset = 0
        while offset < datagram.byteCount {
            guard let length = datagram.number(at: offset, as: UInt32.self).map(Int.init),
                let type = datagram.number(at: offset + 4, as: UInt16.self),
                let flags = datagram.number(at: offset + 6, as: UInt16.self),
                let sequence = datagram.number(at: offset + 8, as: UInt32.self),
                length >= Self.headerSize, length <= datagram.byteCount - offset
            else { throw malformed("a message's length contradicts its datagram's") }
            let payload = datagram.extracting((offset + Self.headerSize)..<(offset + length))
            offset += (length + 3) & ~3
            guard sequence == self.sequence else { continue }
            if flags & Self.dumpInterrupted != 0 { wasInterrupted = true }
            switch type {
            case self.type:
                count += 1
                try body(payload)
            case Self.noop: continue
            case Self.error:
                try readError(payload, flags: flags)
                return .done
            case Self.done:
                try readDone(payload, flags: flags)
                return .done
            default: throw malformed("a message of type \(type)")
            }
        }
        return .more
    }

    /// `NLMSG_NOOP`, `NLMSG_ERROR`, `NLMSG_DONE`
    private static let (noop, error, done): (UInt16, UInt16, UInt16) = (1, 2, 3)
    /// `NLM_F_DUMP_INTR`
    private static let dumpInterrupted: UInt16 = 0x10
    /// `NLM_F_CAPPED`, `NLM_F_ACK_TLVS`
    private static let (capped, hasAttributes): (UInt16, UInt16) = (0x100, 0x200)
    /// `NLMSGERR_ATTR_MSG`
    private static let messageAttribute = AttributeType(rawValue: 1)

    /// `NLMSG_ERROR`: an errno, the request's header, the request itself unless capped, attributes.
    private func readError(_ payload: RawSpan, flags: UInt16) throws(KernelError) {
        guard let code: Int32 = payload.number(at: 0), let echoed: UInt32 = payload.number(at: 4) else {
            throw malformed("an error of \(payload.byteCount) bytes")
        }
        let echo = flags & Self.capped != 0 ? Self.headerSize : (Int(echoed) + 3) & ~3
        try check(code, payload, attributesAt: flags & Self.hasAttributes != 0 ? 4 + echo : nil)
    }

    /// `NLMSG_DONE`: an errno, where the dump failed on the way or was refused, and attributes.
    private func readDone(_ payload: RawSpan, flags: UInt16) throws(KernelError) {
        guard let code: Int32 = payload.number(at: 0) else {
            throw malformed("an end of \(payload.byteCount) bytes")
        }
        try check(code, payload, attributesAt: flags & Self.hasAttributes != 0 ? 4 : nil)
    }

    private func check(_ code: Int32, _ payload: RawSpan, attributesAt offset: Int?) throws(KernelError) {
        guard code < 0 else { return }
        var detail = ""
        if let offset, offset <= payload.byteCount {
            let attributes = Attributes(payload.extracting(droppingFirst: offset))
            if let message = attributes.value(of: Self.messageAttribute) { detail = message.text() }
        }
        var error = KernelError(errno: code == .min ? .max : -code, operation: operation, detail: detail)
        if error.code == .unsupported, let remedyForUnsupported { error.remedy = remedyForUnsupported }
        throw error
    }

    private func malformed(_ detail: String) -> KernelError {
        KernelError(.malformedReply, operation: operation, detail: detail)
    }
}
