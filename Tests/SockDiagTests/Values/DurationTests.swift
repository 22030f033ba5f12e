import SockDiag
import Testing

@Suite struct DurationTests {
    @Test(
        arguments: [
            (.zero, 0), (.nanoseconds(1), 1), (.milliseconds(1500), 1_500_000_000), (.seconds(-1), 0),
            (.nanoseconds(-1), 0), (.seconds(18_446_744_073) + .nanoseconds(709_551_615), .max),
            (.seconds(18_446_744_073) + .nanoseconds(709_551_616), .max), (.seconds(Int64.max), .max),
            (.seconds(Int64.min), 0),
        ] as [(Duration, UInt64)]
    )
    func `No duration is too long to be counted`(duration: Duration, nanoseconds: UInt64) {
        #expect(duration.nanoseconds == nanoseconds)
        #expect(UInt64.max.later(by: duration) == .max)
    }

    @Test(arguments: [(0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (.max, .max)] as [(UInt64, Int32)])
    func `A wait ends no sooner than it should, and none is too long`(nanoseconds: UInt64, milliseconds: Int32) {
        #expect(Int32(pollingFor: nanoseconds) == milliseconds)
    }
}
