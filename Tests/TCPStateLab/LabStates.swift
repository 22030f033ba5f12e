internal import Glibc
package import SockDiag

extension Lab {
    /// A socket that opens actively, in SYN_SENT, in SYN_RCVD by a simultaneous open, or in any state from ESTABLISHED
    /// on; a TIME_WAIT has no descriptor any more. The options are those of the peer's SYN.
    @discardableResult
    package func client(
        in state: TCPState = .established,
        over network: LabNetwork = .ipv4,
        offering options: [SegmentOption] = []
    ) throws(LabError) -> Connection {
        let peer = try Peer(on: wire, over: network)
        let descriptor = try open(network.kernelEndpoint(port: 0).address.family)
        _ = try descriptor.call("connect to \(peer.endpoint)", unless: EINPROGRESS) { descriptor in
            peer.endpoint.withSocketAddress { connect(descriptor, $0, $1) }
        }
        try peer.receive(.syn)
        let endpoint = network.kernelEndpoint(port: 0)
        let socket = keep(try KernelSocket(descriptor, address: endpoint.address, scope: endpoint.scope))
        let connection = Connection(in: self, socket: socket, listener: nil, peer: peer, local: socket.local)
        switch state {
        case .synSent:
            break
        case .synReceived:
            try peer.send(.syn.offering(options))
            try peer.receive(.synAck)
        default:
            try peer.send(.synAck.offering(options))
            try peer.receive(.ack)
            try connection.advance(to: state)
        }
        return try connection.checked(in: state)
    }

    /// A connection that a listener was asked for, in SYN_RCVD as a half-open request without a socket, or in any state
    /// from ESTABLISHED on; a TIME_WAIT has no descriptor any more. The options are those of the peer's SYN.
    ///
    /// Without a listener it gets one of its own. One that is not accepted stays in the listener's queue, where it can be
    /// in ESTABLISHED or CLOSE_WAIT.
    @discardableResult
    package func server(
        in state: TCPState = .established,
        over network: LabNetwork = .ipv4,
        on listener: KernelSocket? = nil,
        accepted: Bool = true,
        offering options: [SegmentOption] = []
    ) throws(LabError) -> Connection {
        let listener = if let listener { listener } else { try self.listener(over: network) }
        let peer = try Peer(on: wire, over: network, kernelPort: listener.local.port)
        let local = network.kernelEndpoint(port: listener.local.port)
        try peer.send(.syn.offering(options))
        try peer.receive(.synAck)
        func connection(_ socket: KernelSocket?) -> Connection {
            Connection(in: self, socket: socket, listener: listener, peer: peer, local: local)
        }
        if state == .synReceived { return connection(nil) }
        try peer.send(.ack)
        let child = connection(accepted ? try accept(from: listener, client: peer.port, as: local) : nil)
        try child.advance(to: state)
        return try child.checked(in: state)
    }

    /// A client of the listener that has sent nothing yet: whether it is answered at all is for the script to see.
    package func peer(of listener: KernelSocket, over network: LabNetwork = .ipv4) throws(LabError) -> Peer {
        try Peer(on: wire, over: network, kernelPort: listener.local.port)
    }

    /// Takes the connection of a client that has completed its handshake, and is the first in the listener's queue.
    package func accepted(from listener: KernelSocket, by peer: Peer) throws(LabError) -> KernelSocket {
        try accept(from: listener, client: peer.port, as: listener.local)
    }

    /// So many half-open requests on one listener.
    @discardableResult
    package func flood(
        _ count: Int,
        over network: LabNetwork = .ipv4,
        on listener: KernelSocket? = nil
    ) throws(LabError) -> [Connection] {
        let listener = if let listener { listener } else { try self.listener(over: network) }
        var requests: [Connection] = []
        for _ in 0..<count { requests.append(try server(in: .synReceived, over: network, on: listener)) }
        return requests
    }
}

extension Connection {
    /// Goes the shortest way from ESTABLISHED to the state (RFC 9293, figure 5).
    fileprivate func advance(to state: TCPState) throws(LabError) {
        switch state {
        case .established:
            break
        case .finWait1:
            try shutDown()
            try peer.receive(.fin)
        case .finWait2:
            try advance(to: .finWait1)
            try peer.send(.ack)
        case .closing:
            try advance(to: .finWait1)
            try peer.send(.fin.acknowledging(.nothingNew))
            try peer.receive(.ack)
        case .timeWait:
            try advance(to: .finWait2)
            try peer.send(.fin)
            try peer.receive(.ack)
            close()
        case .closeWait:
            try peer.send(.fin)
            try peer.receive(.ack)
        case .lastAck:
            try advance(to: .closeWait)
            try shutDown()
            try peer.receive(.fin)
        default:
            throw LabError(.impossible, "\(listener == nil ? "a client" : "a listener's child") cannot be in \(state)")
        }
    }

    /// The connection, if its socket is where the script meant to bring it.
    fileprivate func checked(in state: TCPState) throws(LabError) -> Connection {
        guard let socket, socket.descriptor != nil else { return self }
        let reached = try socket.state()
        guard reached == state else {
            throw LabError(.impossible, "\(local) to \(remote) is in \(reached), the script meant \(state)")
        }
        return self
    }
}
