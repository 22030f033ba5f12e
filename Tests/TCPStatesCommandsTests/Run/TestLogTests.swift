import Testing

@testable import TCPStatesCommands

@Suite struct TestLogTests {
    private static func function(_ id: String) -> String {
        #"{"kind":"test","payload":{"id":"\#(id)","kind":"function","name":"x"},"version":0}"# + "\n"
    }

    private static func event(_ kind: String, _ id: String, at seconds: Double) -> String {
        #"{"kind":"event","payload":{"instant":{"absolute":\#(seconds)},"kind":"\#(kind)","testID":"\#(id)"}}"# + "\n"
    }

    private static func log(_ lines: [String]) -> TestLog {
        var log = TestLog()
        for line in lines { log.take(Array(line.utf8)) }
        return log
    }

    /// Two tests: the first from 1 s to 2 s, the second from 3 s on.
    private static let lines = [
        function(#"App.S\/first()\/S.swift:1:2"#), function(#"App.S\/second()\/S.swift:2:2"#),
        #"{"kind":"test","payload":{"id":"App.S","kind":"suite"}}"# + "\n",
        event("testStarted", "App.S", at: 0.5),
        event("testStarted", #"App.S\/first()\/S.swift:1:2"#, at: 1),
        event("testEnded", #"App.S\/first()\/S.swift:1:2"#, at: 2),
        event("testStarted", #"App.S\/second()\/S.swift:2:2"#, at: 3),
    ]

    @Test(arguments: [
        (UInt64(0), UInt64(900_000_000), [String]()),
        (1_500_000_000, 1_600_000_000, ["App.S/first()"]),
        (500_000_000, 1_000_000_000, ["App.S/first()"]),
        (2_000_000_001, 2_900_000_000, []),
        (1_900_000_000, 3_000_000_000, ["App.S/first()", "App.S/second()"]),
        (9_000_000_000, 9_000_000_000, ["App.S/second()"]),
    ])
    func aTimeFindsTheTestsThatRanThen(_ start: UInt64, _ end: UInt64, _ tests: [String]) {
        #expect(Self.log(Self.lines).tests(from: start, to: end) == tests)
    }

    @Test func aStreamMayBeCutAnywhere() {
        var log = TestLog()
        for byte in Self.lines.joined().utf8 { log.take([byte]) }
        #expect(log.tests(from: 0, to: .max) == ["App.S/first()", "App.S/second()"])
    }

    @Test func whatIsNoRecordIsPassedOver() {
        let junk = ["\n", "{\n", "[1,2\n", "null\n", #"{"kind":"event","payload":{"kind":"testStarted"}}"# + "\n"]
        let log = Self.log(junk + Self.lines + [Self.event("testEnded", "nobody", at: -1e300)])
        #expect(log.tests(from: 0, to: .max).count == 2)
    }

    @Test(arguments: [
        (["/x/AppTests.xctest", "AppTests.Case/testIt"], "AppTests.Case/testIt"),
        (["/x/AppTests.xctest", "AppTests.Case/testIt,AppTests.Case/testThat"], nil),
        (["/x/AppTests.xctest", "--testing-library", "swift-testing"], nil),
        (["/x/AppTests.xctest", "/x/file.json"], nil),
        (["/x/AppTests.xctest"], nil),
        ([], nil),
    ])
    func aProcessOfOneXCTestIsKnownByItsArguments(_ arguments: [String], _ test: String?) {
        #expect(TestLog.test(ofArguments: arguments) == test)
    }
}
