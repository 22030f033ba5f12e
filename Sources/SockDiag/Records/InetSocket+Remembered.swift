/// Sockets as the kernel would describe them if it remembered: for a filter, which reads the kernel's messages.
extension InetSocket {
    /// A socket of which no more is known than this.
    ///
    /// A user is kept only with an inode: the kernel's message has 0 for root and for nobody.
    public init(
        _ identity: SocketIdentity,
        state: TCPState,
        uid: UInt32? = nil,
        inode: UInt32? = nil,
        receiveQueue: UInt32 = 0,
        sendQueue: UInt32 = 0,
        tcpInfo: TCPInfo? = nil
    ) {
        var bytes = [UInt8](repeating: 0, count: InetDiagMessage.size)
        bytes[0] = identity.family.rawValue
        bytes.store(identity.local.port.bigEndian, at: InetDiagMessage.sourcePort)
        bytes.store(identity.remote.port.bigEndian, at: InetDiagMessage.destinationPort)
        for (address, offset) in [
            (identity.local.address, InetDiagMessage.source), (identity.remote.address, InetDiagMessage.destination),
        ] {
            let (high, low) = address.bits
            if identity.family == .ipv6 {
                bytes.store(high.bigEndian, at: offset)
                bytes.store(low.bigEndian, at: offset + 8)
            } else {
                bytes.store(UInt32(truncatingIfNeeded: low).bigEndian, at: offset)
            }
        }
        bytes.store(identity.interface?.rawValue ?? 0, at: InetDiagMessage.interface)
        bytes.store(identity.cookie.rawValue, at: InetDiagMessage.cookie)
        bytes[InetDiagMessage.state] = state.rawValue
        bytes.store(uid ?? 0, at: InetDiagMessage.uid)
        bytes.store(inode ?? 0, at: InetDiagMessage.inode)
        bytes.store(receiveQueue, at: InetDiagMessage.receiveQueue)
        bytes.store(sendQueue, at: InetDiagMessage.sendQueue)
        if let tcpInfo { bytes.append(tcpInfo) }
        self.init(checked: bytes)
    }

    /// A socket that has no owner any more, with the one that it had.
    package init(_ record: borrowing some SocketFields & ~Escapable, uid: UInt32?, inode: UInt32?) {
        var bytes = record.withMessage { $0.array() }
        bytes.store(uid ?? 0, at: InetDiagMessage.uid)
        bytes.store(inode ?? 0, at: InetDiagMessage.inode)
        self.init(checked: bytes, protocol: record.protocol)
    }

    /// The same socket in another state.
    package func inState(_ state: TCPState) -> InetSocket {
        var bytes = message
        bytes[InetDiagMessage.state] = state.rawValue
        return InetSocket(checked: bytes, protocol: `protocol`)
    }
}

extension [UInt8] {
    /// Adds the attribute of measurements: its length, its type, and the bytes.
    fileprivate mutating func append(_ info: TCPInfo) {
        let payload = info.bytes
        let start = count
        self += repeatElement(0, count: 4 + payload.count)
        store(UInt16(4 + payload.count), at: start)
        store(AttributeType.info.rawValue, at: start + 2)
        replaceSubrange((start + 4)..., with: payload)
        self += repeatElement(0, count: (4 - count % 4) % 4)
    }

    /// Writes a number in the machine's byte order; it must fit.
    mutating func store(_ number: some FixedWidthInteger, at offset: Int) {
        Swift.withUnsafeBytes(of: number) { replaceSubrange(offset..<(offset + $0.count), with: $0) }
    }
}
