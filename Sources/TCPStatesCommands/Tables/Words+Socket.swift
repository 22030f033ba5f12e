internal import SockDiag
internal import SocketOwners
internal import TCPRecords

/// The words of the table: those of `ss`, where it has them, in its order.
extension Words {
    /// Adds what stands behind the addresses: the timer, and the extended details.
    mutating func addTrailing(
        _ socket: borrowing some SocketFields & ~Escapable,
        _ details: SocketDetails,
        _ names: inout SocketNames
    ) {
        addOrigin(of: socket.inode, details, names)
        if details.contains(.timers), let timer = socket.timer { add(timer) }
        defer { addMarks(socket, details) }
        guard details.contains(.extended) else { return }
        add("uid", socket.uid.map(UInt64.init), unless: .max)
        add("ino", socket.inode.map(UInt64.init))
        let cookie = socket.cookie.rawValue
        if socket.isListed {
            add {
                $0.append("sk:")
                $0.append(hex: cookie)
            }
        }
        if let mark = socket.mark, mark != 0 {
            add {
                $0.append("fwmark:0x")
                $0.append(hex: UInt64(mark))
            }
        }
        if let path = socket.cgroupID.flatMap({ names.cgroupPath(of: $0) }) {
            add {
                $0.append("cgroup:")
                $0.append(printable: path)
            }
        }
        add("v6only", socket.isIPv6Only.map { $0 ? 1 : 0 }, unless: .max)
        if let shutdown = socket.shutdown { add(shutdown) }
    }

    /// Adds where the socket is, and who holds it.
    mutating func addOrigin(of inode: UInt32?, _ details: SocketDetails, _ names: SocketNames) {
        if details.contains(.namespace), let namespace = names.namespace {
            add {
                $0.append("netns:")
                $0.append(printable: namespace.label)
            }
        }
        if details.contains(.processes), let owners = names.owners?[inode], !owners.isEmpty { add(owners) }
    }

    /// `<->`, with a `-` in the place of an arrow for each direction that has ended.
    mutating func add(_ shutdown: ShutdownDirections) {
        add {
            $0.append(UInt8(ascii: shutdown.contains(.receive) ? "-" : "<"))
            $0.append(UInt8(ascii: "-"))
            $0.append(UInt8(ascii: shutdown.contains(.send) ? "-" : ">"))
        }
    }

    /// Adds what marks its packets, and the options that its program has set.
    mutating func addMarks(_ socket: borrowing some SocketFields & ~Escapable, _ details: SocketDetails) {
        if details.contains(.service) {
            add("tos", flags: socket.tos)
            add("tclass", flags: socket.trafficClass)
            add("class_id", flags: socket.classID)
        }
        guard details.contains(.options), let options = socket.options else { return }
        add {
            $0.append("inet-sockopt:(")
            var isFirst = true
            for (name, option) in SocketOptions.named where options.contains(option) {
                if !isFirst { $0.append(.comma) }
                $0.append(name)
                isFirst = false
            }
            $0.append(")")
        }
    }

    /// Adds what stands on lines of its own: the memory, and the kernel's measurements.
    mutating func addBlock(_ socket: borrowing some SocketFields & ~Escapable, _ details: SocketDetails) {
        if details.contains(.memory), let memory = socket.memory { add(memory) }
        guard details.contains(.info), socket.protocol == .tcp else { return }
        let (state, congestion, details) = (socket.state, socket.congestion, socket.congestionInfo)
        _ = socket.withAttribute(.info) { bytes in
            add(BorrowedTCPInfo(bytes), state: state, congestion: congestion, details)
        }
        addSignatures(socket.md5Signatures)
        if let upper = socket.upperLayerProtocol { add(upper) }
    }

    /// `users:(("nginx",pid=4711,fd=8),("nginx",pid=4712,fd=8))`
    private mutating func add(_ owners: [SocketOwner]) {
        add { text in
            text.append("users:(")
            for (index, owner) in owners.enumerated() {
                text.append(index == 0 ? "(\"" : ",(\"")
                text.append(printable: owner.name.text)
                text.append("\",pid=")
                text.append(decimal: UInt64(owner.pid))
                if let descriptor = owner.descriptor {
                    text.append(",fd=")
                    text.append(decimal: UInt64(descriptor))
                }
                text.append(")")
            }
            text.append(")")
        }
    }

    /// `timer:(on,200ms,0)`
    private mutating func add(_ timer: SocketTimer) {
        add {
            $0.append("timer:(")
            $0.append(timer.kind.description)
            $0.append(.comma)
            $0.append(timeout: timer.milliseconds)
            $0.append(.comma)
            $0.append(decimal: UInt64(timer.retransmits))
            $0.append(UInt8(ascii: ")"))
        }
    }

    /// `skmem:(r0,rb131072,t0,tb87040,f0,w0,o0,bl0,d0)`
    mutating func add(_ memory: SocketMemory) {
        add { text in
            func put(_ name: StaticString, _ number: UInt32) {
                text.append(name)
                text.append(decimal: UInt64(number))
            }
            put("skmem:(r", memory.rmemAlloc)
            put(",rb", memory.rcvbuf)
            put(",t", memory.wmemAlloc)
            put(",tb", memory.sndbuf)
            put(",f", memory.fwdAlloc)
            put(",w", memory.wmemQueued)
            put(",o", memory.optmem)
            put(",bl", memory.backlog)
            if let drops = memory.drops { put(",d", drops) }
            text.append(UInt8(ascii: ")"))
        }
    }
}

extension TextBuffer {
    /// Appends the time to a timer's end: `200ms`, `1.5sec`, `54sec`, `1min54sec`.
    fileprivate mutating func append(timeout milliseconds: UInt32) {
        let seconds = UInt64(milliseconds / 1000)
        switch seconds {
        case 0:
            append(decimal: UInt64(milliseconds))
            append("ms")
        case 1..<10:
            append(thousandths: UInt64(milliseconds))
            append("sec")
        default:
            if seconds >= 60 {
                append(decimal: seconds / 60)
                append("min")
            }
            guard seconds < 60 || seconds % 60 != 0 else { return }
            append(decimal: seconds % 60)
            append("sec")
        }
    }
}
