internal import LinuxSystem
import Testing

@testable import SockDiag

@Suite("What the kernel's files say is read by their words")
struct ProcFileTests {
    @Test func `Of sockstat only TCP's line counts, and what is no number is not there`() {
        let text = """
            sockets: used 12
            TCP: inuse 5 orphan 1 tw 3 alloc 7 mem x
            UDP: inuse 9 mem 4

            """
        #expect(SocketStatistics.numbers(in: text) == ["inuse": 5, "orphan": 1, "tw": 3, "alloc": 7])
        #expect(SocketStatistics.numbers(in: "TCP6: inuse 2\nUDP6: inuse 9\n") == ["inuse": 2])
        #expect(SocketStatistics.numbers(in: "").isEmpty)
        #expect(SocketStatistics.ipv4["inuse"] != nil)
    }

    @Test func `A thread's status is found by the whole name of a line`() throws {
        let status = try #require(ThreadStatus())
        #expect(status["CapEff"]?.allSatisfy(\.isHexDigit) == true)
        #expect(status["CapE"] == nil && status["apEff"] == nil)
    }

    @Test(
        arguments: [("32768\t60999\n", 32768...60999), ("9 9", 9...9), ("9 8", nil), ("9", nil), ("1 2 3", nil)]
            as [(String, ClosedRange<UInt16>?)]
    )
    func `A range of ports has two bounds in their order`(text: String, range: ClosedRange<UInt16>?) {
        #expect(ClosedRange(portRange: text) == range)
    }
}
