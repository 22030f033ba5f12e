internal import Glibc
package import SockDiag

/// A connection over the loopback device with the kernel's TCP on both sides. The descriptors block, though never longer
/// than the lab's deadline.
package struct LoopbackPair: Sendable {
    /// One of the connection's sockets.
    package enum Side: Sendable { case client, accepted }

    private let lab: Lab  // keeps the connection's world alive
    package let listener: KernelSocket
    package let client: KernelSocket
    package let accepted: KernelSocket

    init(in lab: Lab, listener: KernelSocket, client: KernelSocket, accepted: KernelSocket) {
        self.lab = lab
        self.listener = listener
        self.client = client
        self.accepted = accepted
    }

    /// Sends the bytes, and returns when they wait in the other side's receive queue.
    package func send(_ bytes: [UInt8], from side: Side) throws(LabError) {
        let (sender, receiver) = side == .client ? (client, accepted) : (accepted, client)
        var queued: Int32 = 0
        try receiver.call("ioctl(FIONREAD)") { ioctl($0, UInt(FIONREAD), &queued) }
        var sent = 0
        while sent < bytes.count {
            let rest = bytes.dropFirst(sent)
            sent += try sender.call("send") { descriptor in
                rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, KernelSocket.noSignal) }
            }
        }
        try Self.receive(Int(queued) + bytes.count, from: receiver, flags: Int32(MSG_PEEK))
    }

    /// Takes so many bytes out of the receive queue.
    @discardableResult
    package func receive(_ count: Int, at side: Side) throws(LabError) -> [UInt8] {
        try Self.receive(count, from: side == .client ? client : accepted, flags: 0)
    }

    @discardableResult
    private static func receive(_ count: Int, from socket: KernelSocket, flags: Int32) throws(LabError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = try socket.call("recv") { recv($0, &buffer, count, flags | Int32(MSG_WAITALL)) }
        guard got == count else { throw LabError(.timedOut, "\(got) of \(count) bytes came to \(socket.local)") }
        return buffer
    }
}

extension Lab {
    /// A listener on the loopback device, a client, and the accepted connection between them.
    @discardableResult
    package func loopbackPair(
        over network: LabNetwork = .ipv4,
        protocol: SocketProtocol = .tcp
    ) throws(LabError) -> LoopbackPair {
        guard let address = network.loopback else {
            throw LabError(.impossible, "the loopback device has no link-local address")
        }
        let wildcard = network == .ipv4Mapped ? IPAddress.anyIPv6 : address
        let listener = try bind(SocketEndpoint(wildcard, port: 0), protocol: `protocol`, blocking: true)
        try listener.call("listen") { Glibc.listen($0, 16) }
        let server = SocketEndpoint(address, port: listener.local.port)
        let descriptor = try open(address.family, protocol: `protocol`, blocking: true)
        try descriptor.call("connect to \(server)") { descriptor in
            server.withSocketAddress { connect(descriptor, $0, $1) }
        }
        let client = keep(try KernelSocket(descriptor, address: address))
        let accepted = try accept(from: listener, client: client.local.port, as: server, blocking: true)
        return LoopbackPair(in: self, listener: listener, client: client, accepted: accepted)
    }
}
