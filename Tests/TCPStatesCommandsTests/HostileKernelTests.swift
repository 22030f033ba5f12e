import SeededRandom
import SockDiag
import TCPRecords
import Testing

@testable import TCPStatesCommands

/// Whatever the bytes say, they become text: nothing that is read from a message may trap.
@Suite struct HostileKernelTests {
    private static let attributes: [AttributeType] = [
        .info, .congestion, .socketMemory, .shutdown, .mark, .cgroupID, .bbr, .dctcp, .vegas, .ipv6Only,
        .upperLayerProtocol,
    ]

    private func render(_ socket: InetSocket) throws {
        let json = try parse(records([socket], .jsonl, hosts: Fixtures.hosts()))
        #expect(json.count == 1)
        let csv = try parse(csv: records([socket], .csv))
        #expect(csv.count == 2 && csv[0].count == csv[1].count)
        let text = table([socket], .known, terminal: Terminal(width: 1, hasColor: true), showsHeader: false)
        #expect(text.hasSuffix("\n"))
    }

    @Test(arguments: [0x00, 0xff, 0x80, 0x7f] as [UInt8])
    func extremeNumbersDoNotTrap(_ byte: UInt8) throws {
        for length in [0, 1, 4, 8, 20, 36, 104, 280, 400] {
            var fixture = Fixture(state: byte, interface: .max, cookie: .max, timer: (byte, byte, .max))
            fixture.attributes = Self.attributes.map { ($0, [UInt8](repeating: byte, count: length)) }
            try render(fixture.socket())
        }
    }

    @Test func randomBytesDoNotTrap() throws {
        var generator = SplitMix64(1)
        for _ in 0..<300 {
            var fixture = Fixture(state: .random(in: 0...255, using: &generator))
            fixture.timer = (.random(in: 0...5, using: &generator), 0, .random(in: 0...(.max), using: &generator))
            fixture.attributes = Self.attributes.map { type in
                let length = Int.random(in: 0...320, using: &generator)
                return (type, (0..<length).map { _ in .random(in: 0...255, using: &generator) })
            }
            try render(fixture.socket())
        }
    }
}
