internal import CLab
internal import Glibc
internal import SockDiag
internal import Synchronization

/// A veth pair inside one namespace: the kernel's TCP has its addresses on one end, the scripted peer sits on the other.
///
/// When ``send(_:from:)`` returns, the kernel has dealt with the segment, and its answers have been received: behind
/// each segment goes a ping, and its answer is awaited. Both are put into one processor's backlog, a queue, and what
/// the kernel answers at once goes back through the same. The wire carries one script: calls take turns.
///
/// What comes while nobody reads waits in the packet socket's queue, some hundred segments; when that is full, more is
/// lost, as on any wire, and the kernel sends it again.
final class Wire: Sendable {
    private struct State {
        var conversations: [UInt16: Conversation] = [:]
        var lastPort: UInt16 = 1023
        var pings: UInt16 = 0
        /// The last ping that was answered.
        var pong: UInt16 = 0
        /// Room for the largest IPv6 packet: segmentation is the device's task, so a veth pair sees none.
        var buffer = [UInt8](repeating: 0, count: 40 + 65535)
    }

    private let socket: Descriptor
    private let state = Mutex(State())

    /// Lays the wire in the namespace of the calling thread.
    init() throws(LabError) {
        try Self.layDevices()
        socket = try Self.openPacketSocket()
    }

    /// Starts a conversation from a port of the peer that was not used before.
    func open(over network: LabNetwork, kernelPort: UInt16? = nil) throws(LabError) -> UInt16 {
        try state.withLock { state throws(LabError) in
            guard state.lastPort < .max else { throw LabError(.impossible, "a lab has ports for 64,512 connections") }
            state.lastPort += 1
            let port = state.lastPort
            state.conversations[port] = Conversation(over: network, port: port, kernelPort: kernelPort)
            return port
        }
    }

    /// Sends, and returns when the kernel has dealt with it.
    func send(_ cue: Cue, from port: UInt16) throws(LabError) -> Segment {
        try state.withLock { state throws(LabError) in
            try receiveWhatIsThere(&state)
            let (packet, network, segment) = try Self.compose(cue, from: port, &state)
            try deliver(packet, network, "\(segment)", &state)
            return segment
        }
    }

    /// Says by ICMP that there is no such port, about the segment that the kernel sent; returns as ``send(_:from:)``
    /// does. Over IPv4 alone.
    func refuse(_ segment: Segment, over network: LabNetwork) throws(LabError) {
        try state.withLock { state throws(LabError) in
            let addresses = network.onTheWire
            let packet = Packet.unreachable(segment, from: addresses.peer, to: addresses.kernel)
            try deliver(packet, network, "the refusal of \(segment)", &state)
        }
    }

    private func deliver(
        _ packet: [UInt8],
        _ network: LabNetwork,
        _ what: String,
        _ state: inout State
    ) throws(LabError) {
        try onOneProcessor { () throws(LabError) in
            try transmit(packet, network.onTheWire.peer.family)
            try ping(&state)
        }
        try awaitPong(&state, behind: what)
    }

    private func ping(_ state: inout State) throws(LabError) {
        state.pings &+= 1
        try transmit(Packet.ping(state.pings, from: LabNetwork.peerIPv4, to: LabNetwork.kernelIPv4), .ipv4)
    }

    /// Waits for the answer to the last ping. Thousands of connections that retransmit at once overrun the receive
    /// buffer, and it may be lost among them: then a later ping, still behind the segment, does as well.
    private func awaitPong(_ state: inout State, behind what: String) throws(LabError) {
        for _ in 0..<40 {
            let deadline = Deadline(.labDeadline / 40)
            while state.pong != state.pings, try deadline.poll([socket]) { try receiveWhatIsThere(&state) }
            if state.pong == state.pings { return }
            try ping(&state)
        }
        throw LabError(.timedOut, "the kernel's answer to the ping behind \(what) did not come in time")
    }

    /// Takes the first segment to the port that fits, and waits for it as long as said.
    func receive(
        to port: UInt16,
        _ awaited: String,
        within duration: Duration,
        where fits: (Segment) -> Bool
    ) throws(LabError) -> Segment {
        let deadline = Deadline(duration)
        return try state.withLock { state throws(LabError) in
            while true {
                try receiveWhatIsThere(&state)
                if let segment = state.conversations[port]?.next(where: fits) { return segment }
                do throws(LabError) {
                    try socket.wait(until: deadline, awaited)
                } catch {
                    let came = state.conversations[port]?.unread.map(\.description).joined(separator: "; ") ?? ""
                    throw LabError(error.kind, "\(error); port \(port) got \(came.isEmpty ? "nothing" : came)")
                }
            }
        }
    }

    /// The conversation as it is now, with all that has come.
    func conversation(of port: UInt16) throws(LabError) -> Conversation {
        try state.withLock { state throws(LabError) in
            try receiveWhatIsThere(&state)
            guard let conversation = state.conversations[port] else {
                throw LabError(.impossible, "the peer has no conversation on port \(port)")
            }
            return conversation
        }
    }

    /// Resets every connection, so that neither orphans nor half-open requests outlive the wire, and takes it away.
    func close() {
        state.withLock { state in
            for port in state.conversations.keys {
                guard let (packet, network, _) = try? Self.compose(.rst, from: port, &state) else { continue }
                try? transmit(packet, network.onTheWire.peer.family)
            }
            state.conversations = [:]
        }
        socket.close()
    }

    private static func compose(
        _ cue: Cue,
        from port: UInt16,
        _ state: inout State
    ) throws(LabError) -> (packet: [UInt8], network: LabNetwork, segment: Segment) {
        guard var conversation = state.conversations[port] else {
            throw LabError(.impossible, "the peer has no conversation on port \(port)")
        }
        let segment = try conversation.compose(cue)
        state.conversations[port] = conversation
        let addresses = conversation.network.onTheWire
        return (Packet.bytes(of: segment, from: addresses.peer, to: addresses.kernel), conversation.network, segment)
    }

    private func transmit(_ packet: [UInt8], _ family: AddressFamily) throws(LabError) {
        var address = Self.address(etherType: family == .ipv4 ? ETH_P_IP : ETH_P_IPV6)
        let deadline = ContinuousClock.now + .labDeadline
        // ENOBUFS: so many packets wait for a busy processor that the device takes no more (net.core.netdev_max_backlog).
        while try socket.call(
            "send to the wire",
            unless: ENOBUFS,
            { descriptor in
                withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        sendto(descriptor, packet, packet.count, 0, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
                    }
                }
            }
        ) == nil {
            guard .now < deadline else { throw LabError(.timedOut, "the wire takes no more packets") }
            sched_yield()
        }
    }

    private func receiveWhatIsThere(_ state: inout State) throws(LabError) {
        while true {
            let size = state.buffer.count
            let length = try socket.call("receive from the wire", unless: EAGAIN) { descriptor in
                recv(descriptor, &state.buffer, size, Int32(MSG_DONTWAIT))
            }
            guard let length else { return }
            switch Packet(state.buffer.prefix(length)) {
            case .segment(let segment): state.conversations[segment.destinationPort]?.arrived(segment)
            case .pong(let sequence): state.pong = sequence
            case nil: break
            }
        }
    }
}
