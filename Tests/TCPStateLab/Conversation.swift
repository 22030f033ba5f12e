/// The peer's side of one connection: its sequence variables (RFC 9293, section 3.3.1) and what it was sent.
struct Conversation {
    let network: LabNetwork
    let port: UInt16
    /// The kernel's port; that of a connecting socket is known when its SYN has come.
    private(set) var kernelPort: UInt16?
    /// SND.NXT
    private(set) var sendNext: UInt32 = 1_000_000
    /// RCV.NXT
    private(set) var receiveNext: UInt32 = 0
    /// What the peer's last segment acknowledged.
    private var acknowledged: UInt32 = 0
    /// What came and was not read by the script.
    private(set) var unread: [Segment] = []

    init(over network: LabNetwork, port: UInt16, kernelPort: UInt16?) {
        self.network = network
        self.port = port
        self.kernelPort = kernelPort
    }

    /// Takes a segment from the kernel.
    mutating func arrived(_ segment: Segment) {
        unread.append(segment)
        if segment.flags.contains(.syn) {
            kernelPort = segment.sourcePort
            receiveNext = segment.sequence &+ segment.length
        } else if segment.sequence == receiveNext {
            receiveNext = segment.sequence &+ segment.length
        }
    }

    /// Makes the segment of a cue, and counts it as sent.
    mutating func compose(_ cue: Cue) throws(LabError) -> Segment {
        guard let kernelPort else {
            throw LabError(.impossible, "the peer cannot send \(cue.flags): no segment has come from the kernel's port")
        }
        let acknowledgment =
            switch cue.acknowledgment {
            case _ where !cue.flags.contains(.ack): UInt32(0)
            case .everything: receiveNext
            case .nothingNew: acknowledged
            case .number(let number): number
            }
        let segment = Segment(
            sourcePort: port,
            destinationPort: kernelPort,
            sequence: sendNext &+ UInt32(bitPattern: cue.shift),
            acknowledgment: acknowledgment,
            flags: cue.flags,
            window: cue.window,
            options: cue.options.flatMap(\.bytes),
            payload: cue.payload
        )
        if cue.shift == 0 || cue.flags.contains(.syn) { sendNext = segment.sequence &+ segment.length }
        if cue.flags.contains(.ack) { acknowledged = acknowledgment }
        return segment
    }

    /// Takes out the first segment that fits, and drops those before it.
    mutating func next(where fits: (Segment) -> Bool) -> Segment? {
        guard let index = unread.firstIndex(where: fits) else { return nil }
        defer { unread.removeSubrange(...index) }
        return unread[index]
    }
}
