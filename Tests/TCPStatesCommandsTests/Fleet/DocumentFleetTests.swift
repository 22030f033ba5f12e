#if Serve
    import Foundation
    import Glibc
    import TCPStateLab
    import Testing

    @testable import TCPStatesCommands

    /// The commands of docs/serve.md from nothing to an alert, one after the other, as a reader types them.
    @Suite("docs/serve.md, as it is read", .timeLimit(.minutes(30)))
    struct DocumentFleetTests {
        private struct Step {
            let command: String
            /// What the page says is in the answer; empty where it says nothing of it.
            let mark: String
            let runsOn: Bool
        }

        private static func steps() throws -> [Step] {
            let page = try String(contentsOf: Engine.root.appending(path: "docs/serve.md"), encoding: .utf8)
            let section = page.components(separatedBy: "\n## ").first { $0.hasPrefix("An alert for a leak") } ?? ""
            return section.components(separatedBy: "\n```sh\n").dropFirst().map { part in
                let block = part.components(separatedBy: "\n```\n")
                let text = block.dropFirst().first ?? ""
                let mark = text.components(separatedBy: "Look for `").dropFirst().first ?? ""
                return Step(
                    command: block[0],
                    mark: String(mark.prefix { $0 != "`" }),
                    runsOn: text.contains("It runs until Ctrl-C.")
                )
            }
        }

        @Test(.enabled(if: Engine.has(.prometheus, .alertmanager, .promtool), Engine.missing))
        func `Whoever types what is there has an alert for a leak of their own, and its end`() throws {
            let steps = try Self.steps()
            try #require(steps.count == 5 && steps.filter(\.runsOn).count == 2)
            let lab = try Lab.orCancel()
            defer { lab.close() }
            try #require(try lab.spawn("/bin/sh", ["-c", "ip link set lo up"]).status == .exited(0))
            let tool = URL(filePath: Tool.path).deletingLastPathComponent().path
            let environment = ["PATH": "\(tool):/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp"]
            func shell(_ command: String) -> [String] {
                ["-c", "exec 2>&1; cd '\(Engine.root.path)'; \(command)"]
            }
            func answer(_ step: Step, until isRight: (String) -> Bool) throws {
                let deadline = ContinuousClock.now + .seconds(300)
                while true {
                    let process = try lab.start("/bin/sh", shell(step.command), environment: environment)
                    let result = try process.wait(within: .seconds(60))
                    if result.status == .exited(0), isRight(result.standardOutput) { return }
                    try #require(.now < deadline, "\(step.command): \(result.standardOutput)")
                }
            }
            var running: [ChildProcess] = []
            defer { running.forEach { $0.signal(SIGTERM) } }
            for step in steps {
                guard step.runsOn else {
                    try answer(step) { $0.contains(step.mark) }
                    continue
                }
                let process = try lab.start("/bin/sh", shell("exec \(step.command)"), environment: environment)
                running.append(process)
                if !step.mark.isEmpty {
                    try process.output("what it says", within: .seconds(60)) { $0.contains(step.mark) }
                }
            }
            let (fleet, leak) = (running[0], running[1])
            leak.signal(SIGINT)
            _ = try leak.wait()
            try answer(try #require(steps.last)) { !$0.contains("TcpCloseWaitLeak") }
            fleet.signal(SIGINT)
            #expect(try fleet.wait(within: .seconds(60)).status == .exited(0))
        }
    }
#endif
