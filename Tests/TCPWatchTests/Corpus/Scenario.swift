internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPWatch

/// What happens in a lab while a journal of it is written.
struct Scenario: Sendable, CustomTestStringConvertible {
    /// Where the watcher learns of transitions.
    enum Mode: String, Sendable, CaseIterable { case poll, trace }

    let name: String
    let modes: Set<Mode>
    let run: @Sendable (JournalRecorder) throws -> Void

    init(
        _ name: String,
        _ modes: Set<Mode> = Set(Mode.allCases),
        _ run: @escaping @Sendable (JournalRecorder) throws -> Void
    ) {
        (self.name, self.modes, self.run) = (name, modes, run)
    }

    var testDescription: String { name }

    /// The name of its journal, without what the file's name ends with.
    func fileName(_ mode: Mode) -> String { "\(mode)-\(name)" }

    static let all = steps + ends + aborts + lives + failures

    /// Every transition between two states, of a connection that exists when watching begins.
    private static let steps = Script.steps.map { script in
        Scenario("step-\(script.side)-\(script.expected.asFileName)") { recorder in
            // Both families, and both sides.
            let connection = try script.connect(recorder.lab, over: script.side == .active ? .ipv4 : .ipv6)
            try recorder.begin()
            try script.act(connection)
            try recorder.poll()
            expectReported(script, by: recorder)
        }
    }

    /// Every end by a segment, of a connection that is watched from its beginning; then the descriptor is closed.
    private static let ends = Script.ends.enumerated().map { index, script in
        // Behind the resets, LAST_ACK is left once more for each side: by an acknowledgement.
        let kind = index < Script.ends.count - 2 ? "reset" : "end"
        return Scenario("\(kind)-\(script.side)-\(script.from.description.asFileName)") { recorder in
            try recorder.begin()
            let connection = try script.connect(recorder.lab, over: .ipv4)
            if script.from == .timeWait { try recorder.wait(for: ">TIME_WAIT") }
            try recorder.poll()
            try script.act(connection)
            try recorder.poll()
            try recorder.poll()
            expectReported(script, by: recorder)
            connection.close()
        }
    }

    private static func expectReported(_ script: Script, by recorder: JournalRecorder) {
        let paths = recorder.reported.paths
        // What dumps see as one transition may be two, each of which the tracepoints report.
        let suffix = recorder.mode == .poll ? script.expected : ">\(script.expected.split(separator: ">").last ?? "")"
        #expect(paths.contains { $0.hasSuffix(suffix) }, "\(paths)")
    }

    /// What this side ends by a RST, for each reason that the kernel gives.
    private static let aborts = Abort.all.map { abort in
        Scenario("abort-\(abort.testDescription.asFileName)") { recorder in
            let connection = try recorder.lab.server(in: .established)
            try recorder.begin()
            try abort.act(connection)
            try recorder.wait(for: ">CLOSED")
        }
    }
}

extension String {
    /// `FIN_WAIT_1(FIN_WAIT_2)>TIME_WAIT` as `fin-wait-1-fin-wait-2-time-wait`.
    fileprivate var asFileName: String {
        lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
    }
}
