internal import Glibc
internal import SockDiag

/// One of each kind of UDP and UNIX sockets, in a lab's namespace; closed with the object.
package final class FamilySockets: Sendable {
    /// A UDP socket without a peer and one with a peer, of each network.
    package let datagrams: [(network: LabNetwork, unconnected: KernelSocket, connected: KernelSocket)]
    /// The inode of each UNIX socket.
    package let unix: [Kind: UInt32]
    /// The listener's path, with a blank, a backslash, an escape and a byte that is no UTF-8.
    package let path: [UInt8]
    /// The listener's name in the abstract namespace, the NUL before it included.
    package let abstractName: [UInt8]
    private let descriptors: [Descriptor]
    private let directory: String

    /// A UNIX socket by what it is.
    package enum Kind: Hashable, Sendable, CaseIterable {
        /// A stream listener at a path; a client of it; what it has accepted.
        case listener, client, accepted
        /// A client that the listener has not accepted, with a byte on its way.
        case waiting
        /// A listener of packets at an abstract name.
        case abstractListener
        /// Two connected sockets of packets.
        case packets, packetsPeer
        /// A datagram socket at an abstract name, and one that is connected to it.
        case datagram, datagramSender
        /// A datagram socket that nobody is connected to.
        case idleDatagram
        /// A stream socket that is neither bound nor connected.
        case unused
    }

    /// Opens them all.
    package init(in lab: Lab) throws {
        var template = Array("/tmp/tcpstates-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LabError(.systemCall(errno), "mkdtemp: \(text(ofErrno: errno))") }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        path = Array("\(directory)/a b\\\u{1b}[31m".utf8) + [0xff]
        abstractName = [0] + Array("tcpstates\u{7}\(getpid())".utf8) + [0, 0x78]
        var made = Made()
        let (path, abstractName) = (path, abstractName)
        try lab.run { try made.open(path, abstractName) }
        var inodes: [Kind: UInt32] = [:]
        for (kind, descriptor) in made.sockets { inodes[kind] = try descriptor.inode() }
        unix = inodes
        descriptors = made.sockets.map(\.1)
        datagrams = try [LabNetwork.ipv4, .ipv6, .ipv4Mapped].map { network in
            let address = network.loopback ?? .loopbackIPv4
            let unconnected = try lab.bind(SocketEndpoint(address, port: 0), protocol: .udp)
            let connected = try lab.bind(SocketEndpoint(address, port: 0), protocol: .udp)
            let peer = SocketEndpoint(address, port: unconnected.local.port)
            try connected.connect(to: peer)
            return (network, unconnected, connected)
        }
    }

    deinit {
        for descriptor in descriptors { descriptor.close() }
        path.withUnsafeBufferPointer { bytes in
            _ = bytes.withMemoryRebound(to: CChar.self) { bytes in
                var text = Array(bytes) + [0]
                return unlink(&text)
            }
        }
        rmdir(directory)
    }
}

extension FamilySockets {
    private struct Made: Sendable {
        var sockets: [(Kind, Descriptor)] = []

        mutating func open(_ path: [UInt8], _ abstractName: [UInt8]) throws(LabError) {
            let (stream, datagram, packets) = (SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET)
            let listener = try add(.listener, stream)
            try bind(listener, path)
            try listener.call("listen") { Glibc.listen($0, 7) }
            try connect(add(.client, stream), path)
            let accepted = Descriptor(try listener.call("accept") { Glibc.accept($0, nil, nil) })
            sockets.append((.accepted, accepted))
            let waiting = try add(.waiting, stream)
            try connect(waiting, path)
            try waiting.call("send") { send($0, "x", 1, KernelSocket.noSignal) }
            let abstract = try add(.abstractListener, packets)
            try bind(abstract, abstractName)
            try abstract.call("listen") { Glibc.listen($0, 3) }
            try connect(add(.packets, packets), abstractName)
            sockets.append((.packetsPeer, Descriptor(try abstract.call("accept") { Glibc.accept($0, nil, nil) })))
            try bind(add(.datagram, datagram), abstractName + [0x64])
            try connect(add(.datagramSender, datagram), abstractName + [0x64])
            try bind(add(.idleDatagram, datagram), abstractName + [0x69])
            try add(.unused, stream)
        }

        @discardableResult
        private mutating func add(_ kind: Kind, _ type: __socket_type) throws(LabError) -> Descriptor {
            let type = Int32(type.rawValue | SOCK_CLOEXEC.rawValue)
            let descriptor = try Descriptor("socket(AF_UNIX)") { socket(AF_UNIX, type, 0) }
            sockets.append((kind, descriptor))
            return descriptor
        }

        private func bind(_ descriptor: Descriptor, _ name: [UInt8]) throws(LabError) {
            try descriptor.call("bind") { descriptor in
                withUnixAddress(name) { Glibc.bind(descriptor, $0, $1) }
            }
        }

        private func connect(_ descriptor: Descriptor, _ name: [UInt8]) throws(LabError) {
            try descriptor.call("connect") { descriptor in
                withUnixAddress(name) { Glibc.connect(descriptor, $0, $1) }
            }
        }
    }
}

extension Descriptor {
    /// The socket's inode, as in the `socket:[…]` of /proc/self/fd.
    fileprivate func inode() throws(LabError) -> UInt32 {
        var status = stat()
        try call("fstat") { fstat($0, &status) }
        return UInt32(truncatingIfNeeded: status.st_ino)
    }
}
