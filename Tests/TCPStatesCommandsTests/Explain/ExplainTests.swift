import Glibc
import SockDiag
import TCPDiagnosis
import TCPRecords
import TCPStateLab
import TCPWatch
import Testing

@testable import TCPStatesCommands

/// What is said of states is what the machine does.
@Suite struct ExplainTests {
    @Test func everyUsualStepIsDrawnAndNoOther() throws {
        // Left out are what a note says, the steps into CLOSED that every state has and Linux's BOUND, and a step too
        // rare to draw.
        let rare = try #require(TCPStateMachine.step(from: .synReceived, to: .closeWait))
        let left = TCPStateMachine.steps.filter { step in
            let isEnd = step.to == .closed && step.from != .timeWait && step.from != .lastAck
            return isEnd || step.from == .bound || step.to == .bound || step == rare
        }
        #expect(Set(StateDiagram.drawn).isDisjoint(with: left))
        #expect(Set(StateDiagram.drawn).union(left) == Set(TCPStateMachine.steps))
        var drawing = TextBuffer()
        StateDiagram.append(nil, to: &drawing, hasColor: false)
        try expectSnapshot(drawing.string, "explain.txt")
    }

    @Test func everyStepHasACauseInWordsAndALabel() {
        for step in TCPStateMachine.steps {
            #expect(step.causes.count == step.triggers.count)
            #expect(!step.label.isEmpty)
        }
    }

    @Test(arguments: [Topic.Walks.handshake, .close])
    func aWalkTakesLegalStepsOnly(_ topic: Topic.Walks) {
        let walk = topic.text(.none)
        for (before, after) in zip(walk.steps, walk.steps.dropFirst()) {
            for (from, to) in [(before.client, after.client), (before.server, after.server)] where from != to {
                let isLegal = TCPStateMachine.steps.contains { $0.origin == from && $0.to == to }
                #expect(isLegal, "\(from) → \(to)")
            }
        }
    }

    @Test(arguments: TCPState.allCases)
    func everyStateIsExplainedWithWhomItWaitsFor(_ state: TCPState) throws {
        let result = try Tool.run(["explain", state.description])
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
        for label in ["means", "who", "waits for", "goes to", "lasts", "many mean", "what to do"] {
            #expect(result.output.contains("\n  \(label) "), "\(label)")
        }
        let isNarrow = result.output.split(separator: "\n").allSatisfy { $0.count <= 100 }
        #expect(isNarrow)
    }

    @Test(arguments: [("close-wait", "program HERE"), ("fin_wait_2", "PEER's program"), ("SYN-RECV", "The CLIENT")])
    func theSideThatIsStuckIsNamed(_ state: String, _ culprit: String) throws {
        let output = try Tool.run(["explain", state]).output
        let line = output.split(separator: "\n").first { $0.contains("waits for") }
        #expect(line?.contains(culprit) == true)
    }

    @Test(
        arguments: [
            (["SYN-SENT", "estab"], "ack = J+1"), (["listen", "syn-rcvd"], "seq = K and"),
            (["established", "time-wait"], "ESTABLISHED → FIN_WAIT_1 → FIN_WAIT_2 → TIME_WAIT"),
            (["time-wait", "established"], "never comes to ESTABLISHED"), (["listen", "listen"], "the same state"),
        ]
    )
    func twoStatesAreJoinedByStepOrWaysOrNothing(_ states: [String], _ words: String) throws {
        let result = try Tool.run(["explain"] + states)
        #expect(result.status == 0)
        #expect(result.output.contains(words))
    }

    @Test(
        arguments: [
            (["nonsense"], "no state 'nonsense'; there are BOUND, LISTEN"),
            (["listen", "bound", "closed"], "\"closed\" is too much"),
            (["listen", "--live"], "--live goes with explain handshake and explain close"),
            (["close", "--format", "svg"], "use --format mermaid instead of svg"),
        ]
    )
    func wrongUsageNamesTheWord(_ arguments: [String], _ message: String) throws {
        let result = try Tool.run(["explain"] + arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(message))
        #expect(result.errors.split(separator: "\n").count == 1)
    }
}

/// Against the kernel.
@Suite struct ExplainKernelTests {
    @Test func countsAndSettingsAreThoseOfTheNamespace() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.tcp_synack_retries", 1)
        try lab.flood(7)
        let result = try Tool.run(["explain", "syn-rcvd", "--netns", lab.namespace.path])
        #expect(result.output.hasPrefix("SYN_RCVD: 7 now\n"))
        #expect(result.output.contains("net.ipv4.tcp_synack_retries = 1\n"))
        #expect(result.output.contains("given up after 3 s"))
        let diagram = try lab.spawn(Tool.path, ["explain"]).standardOutput
        #expect(diagram.contains("SYN_RCVD         7│"))
    }

    @Test func theHandshakeAndTheCloseAreDoneForReal() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let nobody: UInt32 = 65534
        let result = try cancelUnlessPermitted { () throws(LabError) in
            try lab.spawn(Tool.path, ["explain", "close", "--live"], uid: nobody)
        }
        #expect(result.status == .exited(0), "\(result.standardError)")
        for state in ["LISTEN", "ESTABLISHED", "FIN_WAIT_2", "CLOSE_WAIT", "TIME_WAIT", "CLOSED"] {
            #expect(result.standardOutput.contains("→ \(state) ") || result.standardOutput.contains("→ \(state)\n"))
        }
        let left = try lab.procNetTCP().map(\.state)
        #expect(left == [.timeWait])
        let handshake = try lab.spawn(Tool.path, ["explain", "handshake", "--live"])
        #expect(handshake.status == .exited(0), "\(handshake.standardError)")
        #expect(try lab.procNetTCP().count == 1)
    }

    @Test func whereLoopbackIsDownTheErrorSaysHowToRaiseIt() throws {
        let namespace = try cancelUnlessPermitted { () throws(LabError) in try LabNamespace() }
        let result = try Tool.run(
            ["--net=\(namespace.path)", Tool.path, "explain", "handshake", "--live"],
            program: "/usr/bin/nsenter"
        )
        #expect(result.status == 1)
        #expect(result.errors.contains("ip link set lo up"))
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test func withoutGraphvizTheErrorSaysWhatToInstall() throws {
        let result = try Tool.run(["explain", "--format", "svg"], environment: ["PATH": "/nowhere"])
        #expect(result.status == 1)
        #expect(result.errors.contains("apt-get install graphviz"))
        #expect(result.errors.split(separator: "\n").count == 1)
    }

    @Test func graphvizDrawsEveryState() throws {
        guard try Program.shell("command -v dot").isEmpty == false else { try Test.cancel("Graphviz is not installed") }
        let result = try Tool.run(["explain", "close-wait", "--format", "svg"])
        #expect(result.status == 0)
        #expect(result.output.contains("<svg "))
        for step in DiagramSource.steps { #expect(result.output.contains(">\(step.origin)</text>")) }
    }
}
