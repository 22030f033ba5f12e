internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// The times of the tests, from the records of Swift Testing's event stream (version 0).
///
/// XCTest has none; a test that runs in a process of its own (`--parallel`) is named by the command line.
struct TestLog {
    /// A test function's time, monotonic nanoseconds.
    private struct Window {
        let name: String
        let start: UInt64
        var end: UInt64?
    }

    private var windows: [Window] = []
    /// The windows that are open, by the test's identifier.
    private var open: [String: Int] = [:]
    private var functions: Set<String> = []
    private var rest: [UInt8] = []

    /// Takes a part of the stream: objects, a line each.
    mutating func take(_ bytes: some Sequence<UInt8>) {
        rest += bytes
        var lines = rest[...]
        while let end = lines.firstIndex(of: .newline) {
            if let record = try? JSONValue(lines[..<end]) { take(record) }
            lines = lines[(end + 1)...]
        }
        rest = Array(lines)
    }

    private mutating func take(_ record: JSONValue) {
        guard let payload = record["payload"] else { return }
        switch (record["kind"]?.text, payload["kind"]?.text) {
        case ("test", "function"):
            if let id = payload["id"]?.text { functions.insert(id) }
        case ("event", "testStarted"):
            guard let id = payload["testID"]?.text, functions.contains(id), let time = Self.time(payload) else {
                return
            }
            open[id] = windows.count
            windows.append(Window(name: Self.name(id), start: time))
        case ("event", "testEnded"):
            guard let id = payload["testID"]?.text, let index = open.removeValue(forKey: id) else { return }
            windows[index].end = Self.time(payload)
        default: break
        }
    }

    /// The tests that ran at some time between the two, in the order of their start.
    func tests(from start: UInt64, to end: UInt64) -> [String] {
        var names: [String] = []
        for window in windows where window.start <= end && window.end ?? .max >= start {
            if !names.contains(window.name) { names.append(window.name) }
        }
        return names
    }

    private static func time(_ payload: JSONValue) -> UInt64? {
        payload["instant"]?["absolute"]?.number.flatMap { UInt64(exactly: ($0 * 1e9).rounded()) }
    }

    /// `AppTests.Suite/test()` of `AppTests.Suite/test()/File.swift:4:4`, as `--filter` takes it.
    static func name(_ id: String) -> String {
        guard let slash = id.lastIndex(of: "/"), id[slash...].contains(".swift:") else { return id }
        return String(id[..<slash])
    }

    /// The one XCTest of a process' command line, `AppTests.Case/test`; nil where it runs several, or another library's.
    static func test(ofArguments arguments: [String]) -> String? {
        guard arguments.count == 2, let last = arguments.last, last.contains("/"), last.contains("."),
            last.first != "/",
            !last.contains(",")
        else { return nil }
        return last
    }
}
