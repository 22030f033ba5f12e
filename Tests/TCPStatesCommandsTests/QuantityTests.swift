import TCPRecords
import Testing

@testable import TCPStatesCommands

@Suite struct QuantityTests {
    @Test(arguments: [(0, "0"), (30, "0.03"), (15, "0.015"), (204_000, "204"), (1500, "1.5"), (100_001, "100.001")])
    func thousandthsLoseTheirZeros(_ number: UInt64, _ expected: String) {
        #expect(text { $0.append(thousandths: number) } == expected)
    }

    @Test(
        arguments: [
            (0, "0bps"), (64, "512bps"), (125, "1.0Kbps"), (125_000, "1.0Mbps"), (2_925_000_000, "23.4Gbps"),
            (18_446_744_073_709_551_616, "147573952589.7Gbps"),
        ] as [(Double, String)]
    )
    func ratesAreBitsInTheLargestUnit(_ rate: Double, _ expected: String) {
        #expect(text { $0.append(bytesPerSecond: rate) } == expected)
    }
}
