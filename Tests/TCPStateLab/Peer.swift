package import SockDiag

/// The scripted peer of a connection: it speaks TCP by itself, and only what the script says.
package struct Peer: Sendable {
    let wire: Wire
    let network: LabNetwork
    /// The peer's port, which no other connection of the lab has.
    package let port: UInt16

    /// A peer on a port of its own; for a listener's client the listener's port is known at once.
    init(on wire: Wire, over network: LabNetwork, kernelPort: UInt16? = nil) throws(LabError) {
        self.wire = wire
        self.network = network
        port = try wire.open(over: network, kernelPort: kernelPort)
    }

    /// Where the kernel sees the peer.
    package var endpoint: SocketEndpoint { network.peerEndpoint(port: port) }

    /// Sends a segment. When it returns, the kernel has dealt with the segment and its immediate answer can be read.
    @discardableResult
    package func send(_ cue: Cue) throws(LabError) -> Segment { try wire.send(cue, from: port) }

    /// Takes the first segment whose SYN, FIN and RST are as given and that has the other flags, and drops those before.
    @discardableResult
    package func receive(
        _ flags: SegmentFlags,
        within duration: Duration = .labDeadline
    ) throws(LabError) -> Segment {
        try receive("a segment with \(flags)", within: duration) { segment in
            segment.flags.isSuperset(of: flags)
                && segment.flags.intersection(.control) == flags.intersection(.control)
        }
    }

    /// Takes the first segment that fits, and drops those before it; the error says what was awaited and what came.
    @discardableResult
    package func receive(
        _ awaited: String,
        within duration: Duration = .labDeadline,
        where fits: (Segment) -> Bool
    ) throws(LabError) -> Segment {
        try wire.receive(to: port, awaited, within: duration, where: fits)
    }

    /// Answers the kernel's segment as a firewall does that rejects it: by ICMP "port unreachable", over IPv4.
    package func refuse(_ segment: Segment) throws(LabError) { try wire.refuse(segment, over: network) }

    /// What came and was not taken.
    package func unread() throws(LabError) -> [Segment] { try wire.conversation(of: port).unread }

    /// The kernel's port, once a segment came from there.
    func kernelPort() throws(LabError) -> UInt16? { try wire.conversation(of: port).kernelPort }
}
