import SockDiag

/// A socket as the kernel would describe it: the fields of `struct inet_diag_msg`, and attributes behind it.
struct Fixture {
    var state: UInt8 = 1
    var local = (address: "192.0.2.1", port: UInt16(443))
    var remote = (address: "198.51.100.7", port: UInt16(50_000))
    var interface: UInt32 = 0
    var cookie: UInt64 = 0x1a2b
    var timer: (kind: UInt8, retransmits: UInt8, milliseconds: UInt32) = (0, 0, 0)
    var queues: (receive: UInt32, send: UInt32) = (0, 0)
    var owner: (uid: UInt32, inode: UInt32) = (1000, 4242)
    var attributes: [(type: AttributeType, value: [UInt8])] = []

    /// The socket that such a message describes.
    func socket() throws -> InetSocket { try InetSocket(message: message) }

    private var message: [UInt8] {
        let family: UInt8 = local.address.contains(":") ? 10 : 2
        var message: [UInt8] = [family, state, timer.kind, timer.retransmits]
        message += bytes(local.port.bigEndian) + bytes(remote.port.bigEndian)
        message += address(local.address) + address(remote.address)
        message += bytes(interface) + bytes(cookie)
        message += bytes(timer.milliseconds) + bytes(queues.receive) + bytes(queues.send)
        message += bytes(owner.uid) + bytes(owner.inode)
        for (type, value) in attributes {
            message += bytes(UInt16(4 + value.count)) + bytes(type.rawValue) + value
            message += [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
        }
        return message
    }

    private func address(_ text: String) -> [UInt8] {
        guard let address = IPAddress(text) else { return [UInt8](repeating: 0, count: 16) }
        guard address.family == .ipv6 else {
            return bytes(UInt32(truncatingIfNeeded: address.low).bigEndian) + [UInt8](repeating: 0, count: 12)
        }
        return bytes(address.high.bigEndian) + bytes(address.low.bigEndian)
    }
}

/// The number's bytes in this machine's order.
func bytes(_ number: some FixedWidthInteger & BitwiseCopyable) -> [UInt8] {
    withUnsafeBytes(of: number) { [UInt8]($0) }
}

/// A `struct tcp_info`, zero but for the numbers given by offset. It ends before the last four bytes, which mean one
/// thing to kernel 6.18 and another to 7.0.
func tcpInfo(_ numbers: [Int: any FixedWidthInteger & BitwiseCopyable & Sendable]) -> [UInt8] {
    var info = [UInt8](repeating: 0, count: 276)
    for (offset, number) in numbers {
        let value = bytes(number)
        info.replaceSubrange(offset..<offset + value.count, with: value)
    }
    return info
}
