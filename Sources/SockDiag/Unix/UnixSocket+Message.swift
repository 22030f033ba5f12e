/// The fixed part of the kernel's message about a UNIX socket, and the numbers of its attributes.
private enum UnixDiagMessage {
    static let (type, state, inode, cookie, size) = (1, 2, 4, 8, 16)

    static let name = AttributeType(rawValue: 0)
    static let file = AttributeType(rawValue: 1)
    static let peer = AttributeType(rawValue: 2)
    static let pending = AttributeType(rawValue: 3)
    static let queues = AttributeType(rawValue: 4)
    static let memory = AttributeType(rawValue: 5)
    static let shutdown = AttributeType(rawValue: 6)
    static let uid = AttributeType(rawValue: 7)
}

extension UnixSocket {
    /// Reads a socket from the bytes of a `struct unix_diag_msg` and the attributes behind it. An attribute that is cut
    /// short is taken to be missing, and one that this version does not know is passed over.
    ///
    /// - Throws: ``KernelError`` of code ``KernelError/Code/malformedReply`` where the message is cut short.
    public init(message: RawSpan) throws(KernelError) {
        guard message.byteCount >= UnixDiagMessage.size,
            let type: UInt8 = message.number(at: UnixDiagMessage.type),
            let state: UInt8 = message.number(at: UnixDiagMessage.state),
            let inode: UInt32 = message.number(at: UnixDiagMessage.inode),
            let cookie: UInt64 = message.number(at: UnixDiagMessage.cookie)
        else {
            throw Self.malformed("\(message.byteCount) bytes where struct unix_diag_msg has \(UnixDiagMessage.size)")
        }
        let attributes = Attributes(message.extracting(droppingFirst: UnixDiagMessage.size))
        guard attributes.areWellFormed else { throw Self.malformed("an attribute's length contradicts the message's") }
        // Two words, the lower one first, on machines of either byte order.
        let words = UInt64(littleEndian: 1) == 1 ? cookie : cookie << 32 | cookie >> 32
        self.init(
            type: Kind(rawValue: type),
            state: TCPState(rawValue: state),
            inode: inode == 0 ? nil : inode,
            cookie: SocketCookie(rawValue: words)
        )
        attributes.forEach { read($0, $1) }
    }

    private mutating func read(_ attribute: AttributeType, _ value: RawSpan) {
        switch attribute {
        case UnixDiagMessage.name: name = Self.name(value)
        case UnixDiagMessage.file:
            guard let inode: UInt32 = value.number(at: 0), let device: UInt32 = value.number(at: 4) else { return }
            file = File(inode: inode, device: device)
        case UnixDiagMessage.peer: peerInode = (value.number(at: 0) as UInt32?).flatMap { $0 == 0 ? nil : $0 }
        case UnixDiagMessage.pending:
            // What the listener's own end of a connection is connected to; 0 where that is closed already.
            for offset in stride(from: 0, to: value.byteCount, by: 4) {
                if let inode: UInt32 = value.number(at: offset), inode != 0 { pendingInodes.append(inode) }
            }
        case UnixDiagMessage.queues: (receiveQueue, sendQueue) = (value.number(at: 0), value.number(at: 4))
        case UnixDiagMessage.memory: memory = SocketMemory(value)
        case UnixDiagMessage.shutdown: shutdown = (value.number(at: 0) as UInt8?).map(ShutdownDirections.init)
        case UnixDiagMessage.uid: uid = value.number(at: 0)
        default: break
        }
    }

    /// The name in an attribute: an abstract one to its end, NULs within it too; a path to its NUL.
    private static func name(_ value: RawSpan) -> [UInt8]? {
        let bytes = value.array()
        guard let first = bytes.first else { return nil }
        return first == 0 ? bytes : Array(bytes.prefix { $0 != 0 })
    }

    private static func malformed(_ detail: String) -> KernelError {
        KernelError(.malformedReply, operation: "read a UNIX socket from the kernel's answer", detail: detail)
    }
}
