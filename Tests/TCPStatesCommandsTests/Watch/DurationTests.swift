import TCPRecords
import Testing

@testable import TCPStatesCommands

@Suite struct DurationTests {
    @Test(
        arguments: [
            ("1ms", .milliseconds(1)), ("100ms", .milliseconds(100)), ("1s", .seconds(1)),
            ("1.5s", .milliseconds(1500)),
            ("0.25s", .milliseconds(250)), ("2m", .seconds(120)), ("0.5m", .seconds(30)), ("1h", .seconds(3600)),
            ("2147483647h", .seconds(2_147_483_647 * 3600)),
        ] as [(String, Duration)]
    )
    func everyFormIsUnderstood(_ word: String, _ duration: Duration) throws {
        #expect(try #require(DurationArgument(argument: word)).duration == duration)
    }

    @Test(
        arguments: [
            "", "5", "s", "ms", "0s", "0ms", "0.0001s", "0.5ms", ".5s", "1.s", "1..5s", "1.5.5s", "-1s", "+1s", "1 s",
            "1S", "1us", "1d", "1s2", "99999999999999999999s", "9223372036854775807h", "١s",
        ]
    )
    func whatIsNoTimeIsRefused(_ word: String) {
        #expect(DurationArgument(argument: word) == nil)
    }

    @Test(
        arguments: [
            (0, "<1ms"), (999_999, "<1ms"), (1_000_000, "1ms"), (999_999_999, "999ms"), (3_400_000_000, "3.4s"),
            (59_999_999_999, "59.9s"), (60_000_000_000, "1m00s"), (130_000_000_000, "2m10s"),
            (3_599_999_999_999, "59m59s"), (3_600_000_000_000, "1h00m"), (90_061_000_000_000, "1d01h"),
            (8_640_000_000_000_000, "100d00h"), (.max, "213503d23h"),
        ] as [(UInt64, String)]
    )
    func spansReadAsAPersonWouldSayThem(_ nanoseconds: UInt64, _ expected: String) {
        #expect(text { $0.append(span: nanoseconds) } == expected)
    }

    @Test(
        arguments: [
            (0, "0B"), (999, "999B"), (1000, "1.0kB"), (1_234, "1.2kB"), (9_999, "9.9kB"), (12_345, "12kB"),
            (999_999, "999kB"), (1_000_000, "1.0MB"), (.max, "18EB"),
        ] as [(UInt64, String)]
    )
    func bytesReadAsAPersonWouldSayThem(_ count: UInt64, _ expected: String) {
        #expect(text { $0.append(bytes: count) } == expected)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000000Z"), (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
            (.max, "2554-07-21T23:34:33.709551615Z"),
        ] as [(UInt64, String)]
    )
    func timesAreThoseOfRFC3339(_ nanoseconds: UInt64, _ expected: String) {
        #expect(text { $0.append(rfc3339: nanoseconds) } == expected)
    }
}
