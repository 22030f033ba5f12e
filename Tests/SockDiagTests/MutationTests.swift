import SeededRandom
import Testing

@testable import SockDiag

/// Datagrams with random damage, the same in every run: any of them is read or refused, and none traps.
struct MutationTests {
    private static let datagrams: [[UInt8]] = [
        Datagram.socket(Message.establishedIPv4 + Attribute.everything.joined()) + Datagram.end(),
        Datagram.socket(Message.listenLinkLocal + Attribute.ulpTLS) + Datagram.socket(Message.request)
            + Datagram.socket(Message.timeWait + Attribute.mark),
        Datagram.socket(Message.synSentIPv6 + Attribute.md5Signatures + Attribute.ulpMPTCP),
        Datagram.message(
            Datagram.error,
            flags: Datagram.acknowledgement | Datagram.capped,
            Datagram.bytes(-22 as Int32) + Datagram.requestHeader + Datagram.extendedACK("Unknown family")
        ),
    ]

    /// Flips, sets, copies, cuts or lengthens at random, a few times; lengths and types are hit as often as values.
    private func damage(_ datagram: [UInt8], with generator: inout SplitMix64) -> [UInt8] {
        var bytes = datagram
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<12, using: &generator) {
            case 0..<4: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 4..<7: bytes[index] = .random(in: 0...255, using: &generator)
            case 7..<9: bytes[index] = [0, 1, 3, 4, 0x7f, 0x80, 0xff].randomElement(using: &generator) ?? 0
            case 9: bytes.removeSubrange(index..<Swift.min(bytes.count, index + 1 + Int(bytes[index] & 7)))
            case 10: bytes.insert(contentsOf: bytes[..<Swift.min(index, 8)], at: index & ~3)
            default: bytes.removeLast(bytes.count - index)
            }
        }
        return bytes
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func `No damage to a datagram traps`(seed: UInt64) throws {
        var generator = SplitMix64(seed)
        var (read, refused, fields) = (0, 0, 0)
        for _ in 0..<10_000 {
            guard let datagram = Self.datagrams.randomElement(using: &generator) else { break }
            let damaged = damage(datagram, with: &generator)
            var reply = Reply(type: Datagram.socketType, sequence: Datagram.sequence, operation: "dump the TCP sockets")
            do {
                _ = try reply.read(damaged.span.bytes) { fields += everything(of: $0).count }
                read += 1
            } catch { refused += error.description.isEmpty ? 0 : 1 }
        }
        #expect(read + refused == 10_000)
        #expect(read > 2000, "the damage is not so great that nothing is left to be read")
        #expect(refused > 2000, "nor so small that nothing is refused")
        #expect(fields > 50_000)
    }
}
