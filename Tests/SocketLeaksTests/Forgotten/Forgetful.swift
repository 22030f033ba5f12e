import SocketLeaks
import TCPStateLab
import Testing

/// A program that forgets sockets, in a network namespace of its own.
final class Forgetful: Sendable {
    let lab: Lab
    let program: Program
    var pid: Int32 { program.pid }

    init(_ words: String = "") throws {
        lab = try Lab.orCancel()
        let command = [Program.probe, "forget"] + words.split(separator: " ").map(String.init)
        program = try lab.run { try Program(command) }
        #expect(program.readLine() == "ready")
    }

    deinit { lab.close() }

    /// Does more words.
    func forget(_ words: String) {
        program.say(words)
        #expect(program.readLine() == "ready")
    }

    /// What first searches find in it, of whatever age, once the kernel has done what it does with a delay.
    func found(until isWanted: ([ForgottenSocket]) -> Bool = { _ in true }) throws -> [ForgottenSocket] {
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            var search = try ForgottenSockets(of: .process(pid))
            let found = try search.find(olderThan: .zero).sockets
            if isWanted(found) || .now > deadline { return found }
        }
    }
}

extension [ForgottenSocket] {
    /// Kind and state of each.
    var kinds: [String] { map { "\($0.kind) \($0.state)" }.sorted() }
}
