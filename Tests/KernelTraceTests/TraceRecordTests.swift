internal import SockDiag
internal import Testing

@testable internal import KernelTrace

@Suite struct TraceRecordTests {
    /// CLOSE_WAIT → LAST_ACK of [2001:db8::1]:443, as a program writes it.
    private static var transition: [UInt8] {
        var bytes = [UInt8](repeating: 0xaa, count: TraceRecord.Field.size)
        func put(_ number: some FixedWidthInteger, _ offset: Int) {
            withUnsafeBytes(of: number) { bytes.replaceSubrange(offset..<(offset + $0.count), with: $0) }
        }
        put(UInt64(1_000_000_007), 0)  // time
        put(UInt64(0xabc), 8)  // cookie
        put(UInt32(4_026_531_833), 16)  // namespace
        bytes.replaceSubrange(20..<24, with: [0, 10, 8, 9])  // event, family, from, to
        bytes.replaceSubrange(24..<28, with: [0x01, 0xbb, 0x9c, 0x40])  // ports, in the network's order
        put(UInt32(1000), 28)  // uid
        let prefix: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        bytes.replaceSubrange(32..<64, with: prefix + [1] + prefix + [2])
        put(UInt32(0), 64)  // interface
        put(Int32(4711), 68)  // pid
        put(UInt32(8 * 40_000), 80)  // srtt_us
        return bytes
    }

    private func record(_ bytes: [UInt8]) -> KeptRecord? {
        if let record = TraceRecord(bytes.span.bytes) { KeptRecord(record) } else { nil }
    }

    @Test func `A record is read as it was written`() throws {
        let bytes = Self.transition
        let record = try #require(self.record(bytes))
        #expect(record.path == "CLOSE_WAIT>LAST_ACK")
        #expect(record.time == 1_000_000_007)
        #expect(record.identity.cookie.rawValue == 0xabc)
        #expect(record.identity.local.description == "[2001:db8::1]:443")
        #expect(record.identity.remote.description == "[2001:db8::2]:40000")
        #expect(record.namespace == 4_026_531_833)
        #expect(record.uid == 1000)
        #expect(record.pid == 4711)
    }

    @Test func `Bytes that are cut, or of an event that is not known, are no record`() {
        let bytes = Self.transition
        for length in bytes.indices {
            let short = Array(bytes.prefix(length))
            #expect(record(short) == nil, "\(length)")
        }
        for event in UInt8(TraceRecord.Event.allCases.count)...UInt8.max {
            var strange = bytes
            strange[TraceRecord.Field.event] = event
            #expect(record(strange) == nil, "\(event)")
        }
    }

    @Test func `Every byte may have any value`() {
        for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
            var bytes = [UInt8](repeating: value, count: TraceRecord.Field.size)
            for event in TraceRecord.Event.allCases {
                bytes[TraceRecord.Field.event] = event.rawValue
                #expect(record(bytes)?.event == event)
            }
        }
    }
}
