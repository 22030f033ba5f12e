internal import Testing

@testable internal import TCPStateLab

@Suite("Segments and the peer's sequence numbers")
struct SegmentTests {
    private let segment = Segment(
        sourcePort: 0x1234,
        destinationPort: 0x0050,
        sequence: 0x0102_0304,
        acknowledgment: 0x0506_0708,
        flags: [.psh, .ack],
        window: 0xfeff,
        options: SegmentOption.maximumSegmentSize(1460).bytes,
        payload: Array("odd".utf8)
    )

    @Test func `A segment survives being written and read, over both kinds of IP`() {
        let addresses = [(LabNetwork.kernelIPv4, LabNetwork.peerIPv4), (LabNetwork.kernelIPv6, LabNetwork.peerIPv6)]
        for (source, destination) in addresses {
            let bytes = Packet.bytes(of: segment, from: source, to: destination)
            guard case .segment(let read)? = Packet(bytes[...]) else {
                Issue.record("no segment")
                continue
            }
            #expect(read == segment)
            #expect(Packet(([0, 0] + bytes + [0, 0, 0])[2...]).map { "\($0)" } == Packet(bytes[...]).map { "\($0)" })
        }
    }

    @Test func `No cut of a packet is read beyond its end`() {
        let bytes = Packet.bytes(of: segment, from: LabNetwork.kernelIPv4, to: LabNetwork.peerIPv4)
        for length in 0..<(bytes.count - segment.payload.count) {
            #expect(Packet(bytes.prefix(length)) == nil)
        }
    }

    @Test func `The checksum makes the sum of the segment and its pseudo-header all ones`() {
        let (source, destination) = (LabNetwork.kernelIPv4.octets, LabNetwork.peerIPv4.octets)
        let bytes = segment.bytes(from: source, to: destination)
        var all = source + destination + [0, 6, 0, UInt8(bytes.count)] + bytes
        all.append(0)  // the payload is odd
        let words = stride(from: 0, to: all.count, by: 2).map { UInt32(all[$0]) << 8 | UInt32(all[$0 + 1]) }
        let sum = words.reduce(0, +)
        #expect((sum >> 16 + sum & 0xffff) & 0xffff == 0xffff)
        #expect(bytes[16...17] != [0, 0])
    }

    @Test func `Options are padded in front to whole words`() {
        #expect(SegmentOption.windowScale(7).bytes == [1, 3, 3, 7])
        #expect(SegmentOption.sackPermitted.bytes == [1, 1, 4, 2])
        #expect(SegmentOption.maximumSegmentSize(0x0102).bytes == [2, 4, 1, 2])
        #expect(SegmentOption.timestamps(1, echo: 2).bytes == [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2])
    }

    @Test func `The peer acknowledges all that came in order, and counts what it sends`() throws {
        var conversation = Conversation(over: .ipv4, port: 1024, kernelPort: nil)
        #expect(throws: LabError.self) { try conversation.compose(.ack) }
        conversation.arrived(fromKernel(.syn, sequence: .max))
        let start = conversation.sendNext
        let synAck = try conversation.compose(.synAck)
        #expect(synAck.sequence == start)
        #expect(synAck.acknowledgment == 0, "a SYN takes one number, and numbers wrap")
        #expect(synAck.destinationPort == 40_000)

        conversation.arrived(fromKernel(.ack, sequence: 0, payload: [1, 2, 3]))
        conversation.arrived(fromKernel(.ack, sequence: 0, payload: [1, 2, 3]))  // once more
        conversation.arrived(fromKernel(.ack, sequence: 9, payload: [1]))  // a gap before it
        #expect(try conversation.compose(.ack.acknowledging(.nothingNew)).acknowledgment == 0)
        let data = try conversation.compose(.data([1, 2]))
        #expect(data.sequence == start + 1)
        #expect(data.acknowledgment == 3)
        #expect(try conversation.compose(.rst.shifted(by: 5)).sequence == start + 3 + 5)
        #expect(try conversation.compose(.fin).sequence == start + 3)
        #expect(conversation.sendNext == start + 4)
    }

    @Test func `Reading drops what came before, and keeps what came after`() {
        var conversation = Conversation(over: .ipv4, port: 1024, kernelPort: 40_000)
        for flags in [SegmentFlags.ack, .synAck, [.fin, .ack], .ack] {
            conversation.arrived(fromKernel(flags, sequence: 0))
        }
        #expect(conversation.next { $0.flags.contains(.rst) } == nil)
        #expect(conversation.next { $0.flags.contains(.syn) }?.flags == .synAck)
        #expect(conversation.unread.map(\.flags) == [[.fin, .ack], .ack])
    }

    private func fromKernel(_ flags: SegmentFlags, sequence: UInt32, payload: [UInt8] = []) -> Segment {
        Segment(
            sourcePort: 40_000,
            destinationPort: 1024,
            sequence: sequence,
            acknowledgment: 0,
            flags: flags,
            window: 0,
            options: [],
            payload: payload
        )
    }
}
