package import SockDiag

/// A connection of a socket of the kernel with the scripted peer.
package struct Connection: Sendable {
    private let lab: Lab  // keeps the connection's world alive
    /// The kernel's socket; nil where it has none, as a request in SYN_RCVD or a connection that nobody accepted.
    package let socket: KernelSocket?
    /// The listener that it came from; nil for a client.
    package let listener: KernelSocket?
    /// The scripted peer.
    package let peer: Peer
    /// The kernel's endpoint.
    package let local: SocketEndpoint

    init(in lab: Lab, socket: KernelSocket?, listener: KernelSocket?, peer: Peer, local: SocketEndpoint) {
        self.lab = lab
        self.socket = socket
        self.listener = listener
        self.peer = peer
        self.local = local
    }

    /// The peer's endpoint.
    package var remote: SocketEndpoint { peer.endpoint }

    /// The descriptor of the kernel's socket; nil where it has none or it is closed.
    package var descriptor: Int32? { socket?.descriptor }

    /// The state of the kernel's socket by `TCP_INFO`.
    package func state() throws(LabError) -> TCPState { try open.state() }

    /// Ends sending: a FIN goes to the peer (`shutdown(SHUT_WR)`).
    package func shutDown() throws(LabError) { try open.shutDown() }

    /// Closes the descriptor; what is left of the connection is an orphan.
    package func close() { socket?.close() }

    private var open: KernelSocket {
        get throws(LabError) {
            guard let socket else { throw LabError(.impossible, "\(local) to \(remote) has no socket") }
            return socket
        }
    }
}
