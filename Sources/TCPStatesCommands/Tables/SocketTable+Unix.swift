internal import SockDiag
internal import TCPRecords

extension SocketTable {
    mutating func render(_ row: UnixRow) {
        guard batch != nil else { return write(row) }
        hold(.unix(row))
    }

    mutating func measure(_ row: UnixRow) {
        var cell = TextBuffer()
        cell.append(path: row.socket.plainPath, inode: row.socket.inode)
        let local = cell.count
        cell.append(path: row.peerPath, inode: row.socket.peerInode)
        addTrailing(row)
        layout.widen(local: local, remote: cell.count - local, trailing: words.width)
    }

    mutating func write(_ row: UnixRow) {
        let socket = row.socket
        writeStart(row.netid, socket.state, socket.stateName, socket.receiveQueue ?? 0, socket.sendQueue ?? 0)
        var start = text.count
        text.append(path: socket.plainPath, inode: socket.inode)
        text.append(spaces: layout.local - (text.count - start))
        text.append(spaces: SocketTableLayout.gap)
        start = text.count
        text.append(path: row.peerPath, inode: socket.peerInode)
        addTrailing(row)
        writeEnd(padding: layout.remote - (text.count - start))
        guard !isOneLine, details.contains(.memory), let memory = socket.memory else { return }
        words.removeAll()
        words.add(memory)
        writeBlock()
    }

    private mutating func addTrailing(_ row: UnixRow) {
        words.removeAll()
        words.addTrailing(row.socket, details, names)
        if isOneLine, details.contains(.memory), let memory = row.socket.memory { words.add(memory) }
    }
}

extension TextBuffer {
    /// Appends what a UNIX socket is bound to, and its inode, with a blank between as in `ss`; `*` is nothing.
    fileprivate mutating func append(path: String?, inode: UInt32?) {
        guard path != nil || inode != nil else { return append(UInt8(ascii: "*")) }
        if let path { append(printable: path) } else { append(UInt8(ascii: "*")) }
        append(.space)
        if let inode { append(decimal: UInt64(inode)) } else { append(UInt8(ascii: "*")) }
    }
}

extension Words {
    /// Adds what stands behind the paths: the namespace, the owners, the extended details.
    mutating func addTrailing(_ socket: UnixSocket, _ details: SocketDetails, _ names: SocketNames) {
        addOrigin(of: socket.inode, details, names)
        guard details.contains(.extended) else { return }
        add("uid", socket.uid.map(UInt64.init), unless: .max)
        add("ino", socket.inode.map(UInt64.init))
        let cookie = socket.cookie.rawValue
        add {
            $0.append("sk:")
            $0.append(hex: cookie)
        }
        if let file = socket.file {
            add("file", UInt64(file.inode))
            let (major, minor) = file.deviceNumbers
            addPair("dev", UInt64(major), UInt64(minor), ":") { $0.append(decimal: $1) }
        }
        if let shutdown = socket.shutdown { add(shutdown) }
    }
}
