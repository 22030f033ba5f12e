/// A message about a socket as the kernel would send it, put together from what is known.
package struct SocketMessage {
    /// A `struct inet_diag_msg`, then attributes.
    package private(set) var bytes: [UInt8]

    /// The message of a socket, to which more is added.
    package init(_ socket: borrowing some SocketFields & ~Escapable) {
        bytes = socket.withMessage { $0.array() }
    }

    /// Sets the lengths of the queues.
    package mutating func setQueues(receive: UInt32, send: UInt32) {
        bytes.store(receive, at: InetDiagMessage.receiveQueue)
        bytes.store(send, at: InetDiagMessage.sendQueue)
    }

    /// Sets the pending timer.
    package mutating func setTimer(_ timer: SocketTimer) {
        bytes[InetDiagMessage.timer] = timer.kind.rawValue
        bytes[InetDiagMessage.retransmits] = timer.retransmits
        bytes.store(timer.milliseconds, at: InetDiagMessage.expires)
    }

    /// Appends an attribute; false where it is longer than one can be, and then it is left out.
    package mutating func append(_ type: AttributeType, _ value: [UInt8]) -> Bool {
        guard let attribute = Self.attribute(type.rawValue, value) else { return false }
        bytes += attribute
        return true
    }

    /// The bytes of an attribute; nil where it is longer than one can be.
    package static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8]? {
        guard let length = UInt16(exactly: value.count + Attributes.headerSize) else { return nil }
        var bytes = [UInt8](repeating: 0, count: Attributes.headerSize)
        bytes.store(length, at: 0)
        bytes.store(type, at: 2)
        return bytes + value + [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
    }
}

extension TCPInfo {
    /// Measurements that are made by hand, as for a test. A field before the last one that is given is 0 where it is not
    /// given itself; those that the running kernel does not send are left out.
    public init(_ values: [Field: UInt64]) {
        let bytes = Self.bytes(of: values.map { ($0.key, $0.value) })
        // As many as every kernel sends.
        byteCount = bytes.count
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    /// A `struct tcp_info` of the fields' values, as long as they need it.
    package static func bytes(of values: [(Field, UInt64)]) -> [UInt8] {
        let known = values.filter { $0.0.offset + $0.0.size <= capacity }
        var bytes = [UInt8](repeating: 0, count: known.reduce(shortest) { max($0, $1.0.offset + $1.0.size) })
        for (field, value) in known {
            let bits = (value & field.mask) << UInt64(field.shift)
            switch field.size {
            case 1: bytes[field.offset] |= UInt8(truncatingIfNeeded: bits)
            case 2: bytes.store(UInt16(truncatingIfNeeded: bits), at: field.offset)
            case 4: bytes.store(bytes.number(at: field.offset) | UInt32(truncatingIfNeeded: bits), at: field.offset)
            default: bytes.store(bits, at: field.offset)
            }
        }
        return bytes
    }
}

extension [UInt8] {
    /// The 32 bits at an offset, in the machine's byte order; they must be there.
    fileprivate func number(at offset: Int) -> UInt32 {
        withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    }
}
