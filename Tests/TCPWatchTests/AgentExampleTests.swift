import Foundation
import Glibc
import SocketValues
import TCPStateLab
import Testing

/// The programs of `Examples/Agent`, built as a user builds them, and run. Another one is another test here.
@Suite(.serialized) struct AgentExampleTests {
    private static let root = URL(filePath: #filePath).appending(path: "../../..").standardized.path
    private static let example = "\(root)/Examples/Agent"
    private static let scratch = "\(root)/.build/examples/Agent"

    /// What the build of all programs and of their tests has written, its status last; built once.
    private static let build = Result {
        // Gently: it builds the libraries while other tests run.
        try Program.shell("export NO_COLOR=1; nice swift build --build-tests \(places); echo $?")
    }
    private static let places = "--package-path '\(example)' --scratch-path '\(scratch)'"

    /// The path of a program of the package.
    private func program(_ name: String) throws -> String {
        let lines = try Self.build.get()
        try #require(lines.last == "0", "\(lines.joined(separator: "\n"))")
        return "\(Self.scratch)/debug/\(name)"
    }

    @Test func `A program fits on a screen or two, and nothing is fetched for any`() throws {
        _ = try program("Preflight")
        let sources = try #require(FileManager.default.enumerator(atPath: "\(Self.example)/Sources"))
        let files = sources.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }
        #expect(files.count >= 3)
        for file in files {
            let text = try String(contentsOfFile: "\(Self.example)/Sources/\(file)", encoding: .utf8)
            #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count <= 60, "\(file)")
        }
        let checkouts = try? FileManager.default.contentsOfDirectory(atPath: "\(Self.scratch)/checkouts")
        #expect(checkouts ?? [] == [], "the library without its traits has no dependencies")
    }

    @Test func `The tests of the programs pass, without a kernel's events`() throws {
        _ = try program("AlertRule")
        let lines = try Program.shell("export NO_COLOR=1; swift test --skip-build \(Self.places); echo $?")
        #expect(lines.last == "0", "\(lines.joined(separator: "\n"))")
        #expect(lines.contains { $0.contains("tests in") && $0.contains("passed") })
    }

    @Test func `The preflight says what there is and what is missing, to root and to nobody`() throws {
        let preflight = try program("Preflight")
        let lines = try Program.run([preflight])
        for capability in ["ipv4", "ipv6", "destroy_events"] {
            #expect(lines.contains("there    \(capability)"), "\(lines)")
        }
        #expect(lines.contains { $0.hasPrefix("An agent here watches by ") })
        guard Program.isRoot else { return }
        let others = try Program.run(Program.asNobody + [preflight])
        #expect(others.contains { $0.hasPrefix("missing  trace: cannot trace the kernel: ") }, "\(others)")
        #expect(others.last == "An agent here watches by poll, and names the owners that it may see.")
    }

    @Test func `The alert rule names what is not closed, when its time is up`() throws {
        let rule = try program("AlertRule")
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let connection = try lab.server(in: .closeWait)
        // A terminal gets each line at once.
        let agent = try lab.start(rule, ["1"], terminal: true)
        let words = "\(connection.local) \(connection.remote) is in CLOSE_WAIT for "
        let output = try agent.output("the alert") { $0.contains(words) && $0.contains("held by ") }
        #expect(output.split(whereSeparator: \.isNewline).count == 1, "\(output)")
    }

    @Test func `Gauges are right again after the reader was too slow`() throws {
        let gauges = try program("StateGauges")
        let lab = try Lab.orCancel()
        defer { lab.close() }
        // A burst: they are there before the agent begins, and are closed once it listens to the kernel.
        let pairs = try (0..<300).map { _ in try lab.loopbackPair() }
        let agent = try lab.run { try Program([gauges, "6"]) }
        while try !lab.run({ try Self.isSomebodyListening() }) { sched_yield() }
        for pair in pairs { pair.client.close() }
        let held = try lab.loopbackPair()
        let lines = agent.finish()
        let count = try #require(lines.first?.firstMatch(of: /(\d+) events read, (\d+) lost/))
        #expect((Int(count.2) ?? 0) > 0, "\(lines)")
        #expect(lines.last == "a dump shows the same", "\(lines)")
        #expect(lines.contains("port \(held.listener.local.port): 1 in LISTEN"), "\(lines)")
    }

    /// Whether a program in this namespace receives the kernel's messages about sockets that are destroyed.
    private static func isSomebodyListening() throws -> Bool {
        // sk Eth Pid Groups …
        let rows = try String(contentsOfFile: "/proc/thread-self/net/netlink", encoding: .utf8).split(separator: "\n")
        return rows.contains { row in
            let columns = row.split(separator: " ")
            return columns.count > 3 && columns[1] == "4" && columns[3].contains { $0 != "0" }
        }
    }

    @Test func `A watcher is steered and measured`() throws {
        guard Program.isRoot else { try Test.cancel("to enter other namespaces takes root") }
        let steering = try program("Steering")
        let labs = [try Lab.orCancel(), try Lab()]
        defer { labs.forEach { $0.close() } }
        let listener = try labs[0].listener()
        let connection = try labs[0].server(in: .established, on: listener)
        let other = try labs[1].listener()
        let lines = try labs[0].run { try Program.run([steering, labs[1].namespace.path]) }
        #expect(lines.first == "all: 2 sockets", "\(lines)")
        #expect(lines.contains("listeners: 1 sockets") && lines.contains("anew: 1 sockets"), "\(lines)")
        #expect(lines.contains { $0.contains(other.local.description) }, "\(lines)")
        #expect(lines.contains { $0.hasSuffix(" lookups") } && lines.last?.contains("of a processor") == true)
        withExtendedLifetime(connection) {}
    }

    @Test func `An event loop waits for a watcher beside its input`() throws {
        let loop = try program("EventLoop")
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener()
        let agent = try lab.run { try Program([loop]) }
        #expect(agent.readLine()?.hasPrefix("there is LISTEN") == true)
        #expect(agent.readLine() == "ready")
        let connection = try lab.server(in: .established, on: listener)
        var line = agent.readLine()
        while let text = line, !text.hasSuffix("ESTABLISHED") { line = agent.readLine() }
        #expect(line == "\(connection.local) ESTABLISHED")
        #expect(agent.finish().last?.hasSuffix(" events") == true)
    }

    @Test func `What is written as records is read back`() throws {
        let records = try program("Records")
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pair = try lab.loopbackPair()
        let file = FileManager.default.temporaryDirectory.appending(path: "records-\(UUID().uuidString)").path
        defer { unlink(file) }
        let agent = try lab.run { try Program([records, file, "1"]) }
        pair.client.close()
        #expect(agent.finish().last?.contains("equal") == true)
    }

    @Test func `Forgotten sockets are said once, until their program ends`() throws {
        let leaks = try program("Leaks")
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let forgetful = try lab.run { try Program([Program.probe, "forget", "unbound", "close-wait", "idle"]) }
        #expect(forgetful.readLine() == "ready")
        let agent = try lab.start(leaks, ["1", "\(forgetful.pid)"], terminal: true)
        let output = try agent.output("both sockets") { $0.contains("in no dump") && $0.contains("CLOSE_WAIT") }
        _ = forgetful.finish()
        try agent.output("the end") { $0.contains("process \(forgetful.pid) ended") }
        #expect(try agent.wait().status == .exited(0))
        #expect(output.components(separatedBy: "held by SystemProbe").count == 3, "\(output)")
    }

    @Test func `The articles show the programs as they are`() throws {
        let folders = ["TCPWatch", "SocketLeaks"].map { "\(Self.root)/Sources/\($0)/\($0).docc" }
        var shown: Set<String> = []
        for (articles, name) in try folders.flatMap({ folder in
            try FileManager.default.contentsOfDirectory(atPath: folder).map { (folder, $0) }
        }) {
            let text = try String(contentsOfFile: "\(articles)/\(name)", encoding: .utf8)
            for match in text.matches(of: /`Examples\/Agent\/Sources\/(.+?)`:\n\n```swift\n((?s:.*?))```/) {
                let source = try String(contentsOfFile: "\(Self.example)/Sources/\(match.1)", encoding: .utf8)
                #expect(String(match.2) == source, "\(name): \(match.1)")
                shown.insert(String(match.1.prefix { $0 != "/" }))
            }
        }
        #expect(shown == ["StateGauges", "AlertRule", "Steering", "EventLoop", "Leaks", "Preflight"])
    }
}
