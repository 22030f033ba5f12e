internal import CLab
internal import Glibc
package import SockDiag

extension KernelSocket {
    /// Connects to the endpoint, for the first time or anew; the errno where it is refused, finds no port or does not wait, else 0.
    @discardableResult
    package func connect(to endpoint: SocketEndpoint) throws(LabError) -> Int32 {
        do throws(LabError) {
            try call("connect to \(endpoint)") { descriptor in
                endpoint.withSocketAddress { Glibc.connect(descriptor, $0, $1) }
            }
            return 0
        } catch {
            guard case .systemCall(let code) = error.kind,
                [ECONNREFUSED, EADDRNOTAVAIL, EINPROGRESS].contains(code)
            else { throw error }
            return code
        }
    }

    /// Lets go of the connection and keeps the socket, which can be connected anew: `connect(2)` to `AF_UNSPEC`.
    package func disconnect() throws(LabError) {
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        try call("connect to AF_UNSPEC") { Glibc.connect($0, &nowhere, socklen_t(MemoryLayout<sockaddr>.size)) }
    }

    /// The local endpoint as it is now: another one for each connection of an unbound socket.
    package func currentLocal() throws(LabError) -> SocketEndpoint {
        var port: UInt16 = 0
        try call("getsockname") { descriptor in
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let result = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
            }
            // The port has the same place in sockaddr_in and sockaddr_in6.
            port = withUnsafeBytes(of: address) { UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)) }
            return result
        }
        return SocketEndpoint(local.address, port: port, scope: local.scope)
    }

    /// Waits until `TCP_INFO` answers the state.
    package func wait(until wanted: TCPState) throws(LabError) {
        let deadline = ContinuousClock.now + .labDeadline
        while try state() != wanted {
            guard .now < deadline else { throw LabError(.timedOut, "\(local) is in \(try state()), not in \(wanted)") }
            sched_yield()
        }
    }

    /// No SIGPIPE where the peer is gone. Here alone: Swift 6.3.1 does not find the name in every file of a module.
    static let noSignal = Int32(MSG_NOSIGNAL)

    /// Sends so many bytes; blocks while there is no room.
    package func send(_ count: Int) throws(LabError) {
        let bytes = [UInt8](repeating: 1, count: count)
        var sent = 0
        while sent < count {
            sent += try call("send") { Glibc.send($0, bytes, count - sent, Self.noSignal) }
        }
    }

    /// Listens.
    package func listen(backlog: Int32 = 1) throws(LabError) { try call("listen") { Glibc.listen($0, backlog) } }

    /// Receives at most so many bytes, at least one; 0 at the end. Without `waits`, nil where there is nothing.
    package func receive(_ count: Int, waits: Bool = true) throws(LabError) -> Int? {
        var bytes = [UInt8](repeating: 0, count: count)
        do throws(LabError) {
            return try call("recv") { recv($0, &bytes, count, waits ? 0 : Int32(MSG_DONTWAIT)) }
        } catch {
            guard !waits, case .systemCall(let code) = error.kind, code == EAGAIN else { throw error }
            return nil
        }
    }
}

extension Lab {
    /// A TCP socket that is neither bound nor connected; its calls block, at most as long as the lab waits.
    package func unconnected() throws(LabError) -> KernelSocket {
        keep(try KernelSocket(open(.ipv4, blocking: true), address: .loopbackIPv4))
    }

    /// A socket bound to a port of the loopback device that listens, or with no backlog does not; one for both families is
    /// bound to ::.
    package func loopbackListener(
        port: UInt16 = 0,
        backlog: Int32? = 512,
        isDualStack: Bool = false
    ) throws(LabError) -> KernelSocket {
        let address: IPAddress = isDualStack ? .anyIPv6 : .loopbackIPv4
        let descriptor = try open(address.family, blocking: true)
        try descriptor.setOption(SOL_SOCKET, SO_REUSEADDR, Int32(1), "SO_REUSEADDR")
        try descriptor.call("bind to port \(port)") { descriptor in
            SocketEndpoint(address, port: port).withSocketAddress { Glibc.bind(descriptor, $0, $1) }
        }
        let socket = keep(try KernelSocket(descriptor, address: address))
        if let backlog { try socket.call("listen") { Glibc.listen($0, backlog) } }
        return socket
    }

    /// The connection that is first in the listener's queue; its calls block, at most as long as the lab waits.
    package func accepted(from listener: KernelSocket) throws(LabError) -> KernelSocket {
        let descriptor = Descriptor(
            try listener.call("accept from \(listener.local)") { accept4($0, nil, nil, Int32(SOCK_CLOEXEC.rawValue)) }
        )
        try descriptor.setTimeouts()
        return keep(try KernelSocket(descriptor, address: listener.local.address))
    }
}
