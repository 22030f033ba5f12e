import Testing

@testable import SockDiag

/// `struct tcp_info` of old and new kernels: each field from its own bytes, and nil where the kernel did not send it.
struct TCPInfoTests {
    private static func u16(_ place: UInt64) -> UInt64 { place * 0x0101 }
    private static func u32(_ place: UInt64) -> UInt64 { place * 0x0101_0101 }
    private static func u64(_ place: UInt64) -> UInt64 { place * 0x0101_0101_0101_0101 }

    /// What ``TCPInfoFixture`` holds, by the field's place and its type in the header.
    private static let expected: [(TCPInfo.Field, UInt64)] = [
        (.state, 1), (.caState, 2), (.retransmits, 3), (.probes, 4), (.backoff, 5), (.options, 6),
        (.sndWscale, 0xa), (.rcvWscale, 0x7), (.deliveryRateAppLimited, 1), (.fastopenClientFail, 2),
        (.rto, u32(9)), (.ato, u32(10)), (.sndMss, u32(11)), (.rcvMss, u32(12)), (.unacked, u32(13)),
        (.sacked, u32(14)), (.lost, u32(15)), (.retrans, u32(16)), (.fackets, u32(17)), (.lastDataSent, u32(18)),
        (.lastAckSent, u32(19)), (.lastDataRecv, u32(20)), (.lastAckRecv, u32(21)), (.pmtu, u32(22)),
        (.rcvSsthresh, u32(23)), (.rtt, u32(24)), (.rttvar, u32(25)), (.sndSsthresh, u32(26)), (.sndCwnd, u32(27)),
        (.advmss, u32(28)), (.reordering, u32(29)), (.rcvRtt, u32(30)), (.rcvSpace, u32(31)),
        (.totalRetrans, u32(32)), (.pacingRate, u64(33)), (.maxPacingRate, u64(34)), (.bytesAcked, u64(35)),
        (.bytesReceived, u64(36)), (.segsOut, u32(37)), (.segsIn, u32(38)), (.notsentBytes, u32(39)),
        (.minRtt, u32(40)), (.dataSegsIn, u32(41)), (.dataSegsOut, u32(42)), (.deliveryRate, u64(43)),
        (.busyTime, u64(44)), (.rwndLimited, u64(45)), (.sndbufLimited, u64(46)), (.delivered, u32(47)),
        (.deliveredCe, u32(48)), (.bytesSent, u64(49)), (.bytesRetrans, u64(50)), (.dsackDups, u32(51)),
        (.reordSeen, u32(52)), (.rcvOoopack, u32(53)), (.sndWnd, u32(54)), (.rcvWnd, u32(55)), (.rehash, u32(56)),
        (.totalRto, u16(57)), (.totalRtoRecoveries, u16(58)), (.totalRtoTime, u32(59)), (.receivedCe, u32(60)),
        (.deliveredE1Bytes, u32(61)), (.deliveredE0Bytes, u32(62)), (.deliveredCeBytes, u32(63)),
        (.receivedE1Bytes, u32(64)), (.receivedE0Bytes, u32(65)), (.receivedCeBytes, u32(66)),
    ]

    private static func info(_ bytes: [UInt8]) throws -> TCPInfo {
        let info = TCPInfo(bytes.span.bytes)
        return try #require(info)
    }

    @Test func `Every field is read from its own bytes`() throws {
        let info = try Self.info(TCPInfoFixture.bytes)
        #expect(info.byteCount == 280)
        for (field, value) in Self.expected { #expect(info[field] == value, "tcpi_\(field.name)") }
        #expect(info.options == [.sack, .windowScale])
    }

    @Test func `No field is left out of the list of all`() {
        let accurateECN: [TCPInfo.Field] = [.accecnFailMode, .accecnOptSeen, .ecnMode, .options2]
        let names = (Self.expected.map(\.0) + accurateECN).map(\.name)
        #expect(TCPInfo.Field.allCases.map(\.name) == names)
        #expect(Set(names).count == names.count)
    }

    /// Where the structure ended: the last field of the release, and the first that a later one added.
    @Test(arguments: [
        (104, TCPInfo.Field.totalRetrans, TCPInfo.Field.pacingRate),  // 2.6.24
        (120, .maxPacingRate, .bytesAcked),  // 3.15
        (136, .bytesReceived, .segsOut),  // 4.1
        (144, .segsIn, .notsentBytes),  // 4.2
        (160, .dataSegsOut, .deliveryRate),  // 4.6
        (168, .deliveryRate, .busyTime),  // 4.9
        (192, .sndbufLimited, .delivered),  // 4.10
        (200, .deliveredCe, .bytesSent),  // 4.18
        (224, .reordSeen, .rcvOoopack),  // 4.19
        (232, .sndWnd, .rcvWnd),  // 5.4 to 6.1
        (240, .rehash, .totalRto),  // 6.2
        (248, .totalRtoTime, .receivedCe),  // 6.7
    ])
    func anOlderKernelsFieldsEndWhereItsStructureDid(length: Int, last: TCPInfo.Field, next: TCPInfo.Field) throws {
        let info = try Self.info(Array(TCPInfoFixture.bytes.prefix(length)))
        #expect(info.byteCount == length)
        #expect(info[last] != nil)
        #expect(info[next] == nil)
        let end = try #require(Self.expected.firstIndex { $0.0 == next })
        for (field, value) in Self.expected[..<end] { #expect(info[field] == value, "tcpi_\(field.name)") }
        for (field, _) in Self.expected[end...] { #expect(info[field] == nil, "tcpi_\(field.name)") }
    }

    @Test func `A field cut in the middle is not there`() throws {
        for length in 0..<104 {
            let info = TCPInfo(Array(TCPInfoFixture.bytes.prefix(length)).span.bytes)
            #expect(info == nil)
        }
        for length in 104...280 {
            let info = try Self.info(Array(TCPInfoFixture.bytes.prefix(length)))
            var isCut = false
            for (field, value) in Self.expected {
                if info[field] == nil { isCut = true }
                #expect(info[field] == (isCut ? nil : value), "tcpi_\(field.name) of \(length) bytes")
            }
        }
    }

    @Test func `The last four bytes are read as the kernel's version lays them out`() throws {
        let older = AccECNFields(kernelMajor: 6)
        let before = try Self.info(TCPInfoFixture.bytes)
        #expect(before[older.failMode] == Self.u16(67))
        #expect(before[older.optSeen] == Self.u16(68))
        #expect(before[older.ecnMode] == nil)
        #expect(before[older.options2] == nil)

        let newer = AccECNFields(kernelMajor: 7)
        let after = try Self.info(TCPInfoFixture.bytes.dropLast(4) + TCPInfoFixture.accECNOfKernel7)
        #expect(after[newer.ecnMode] == 2)
        #expect(after[newer.optSeen] == 1)
        #expect(after[newer.failMode] == 9)
        #expect(after[newer.options2] == 0xcba987)

        let short = try Self.info(Array(TCPInfoFixture.bytes.prefix(276)))
        for fields in [older, newer] {
            for field in [fields.failMode, fields.optSeen, fields.ecnMode, fields.options2] {
                #expect(short[field] == nil, "tcpi_\(field.name)")
            }
        }
    }

    @Test func `What a future kernel appends disturbs nothing`() throws {
        for extra in [1, 40, 41, 4096] {
            let info = try Self.info(TCPInfoFixture.bytes + [UInt8](repeating: 0xee, count: extra))
            #expect(info.byteCount == 280 + extra)
            for (field, value) in Self.expected { #expect(info[field] == value, "tcpi_\(field.name)") }
        }
    }

    @Test func `The bit fields do not leak into each other`() throws {
        var bytes = TCPInfoFixture.bytes
        (bytes[6], bytes[7]) = (0x0f, 0b110)
        var info = try Self.info(bytes)
        #expect(info[.sndWscale] == 15 && info[.rcvWscale] == 0)
        #expect(info[.deliveryRateAppLimited] == 0 && info[.fastopenClientFail] == 3)
        (bytes[6], bytes[7]) = (0xf0, 0b1111_1001)
        info = try Self.info(bytes)
        #expect(info[.sndWscale] == 0 && info[.rcvWscale] == 15)
        #expect(info[.deliveryRateAppLimited] == 1 && info[.fastopenClientFail] == 0)
    }

    @Test func `Two are equal only where their bytes and their lengths are`() throws {
        let whole = try Self.info(TCPInfoFixture.bytes)
        let alike = try Self.info(TCPInfoFixture.bytes)
        #expect(whole == alike && whole.hashValue == alike.hashValue)
        #expect(try whole != Self.info(TCPInfoFixture.bytes.dropLast(2) + [0, 0]))
        let zeros = [UInt8](repeating: 0, count: 280)
        #expect(try Self.info(zeros) != Self.info(Array(zeros.prefix(276))))
    }
}
