import Foundation
import TCPStateLab
import Testing

@testable import TCPStatesCommands

/// Every command of docs/questions.md, beside a program that has the troubles that it is asked about.
@Suite struct QuestionTests {
    private struct Question: CustomTestStringConvertible {
        let command: String
        /// What the page says is in the answer.
        let mark: String

        var testDescription: String { command }

        static let all: [Question] = {
            let page = URL(filePath: #filePath).appending(path: "../../../docs/questions.md").standardized
            let text = (try? String(contentsOf: page, encoding: .utf8)) ?? ""
            return text.components(separatedBy: "\n```sh\n").dropFirst().map { part in
                let block = part.components(separatedBy: "\n```\n")
                let mark = block.last?.components(separatedBy: "Look for `").dropFirst().first
                return Question(
                    command: block.first ?? "",
                    mark: mark.map { String($0.prefix { $0 != "`" }) } ?? "nothing to look for"
                )
            }
        }()
    }

    /// A server that answers, and one that never closes; descriptors that were never used; a client of a port that refuses,
    /// and of a host that is not there.
    private static let trouble = """
        import select, socket, sys
        server = socket.create_server(("127.0.0.1", 7000), backlog=64)
        leaky = socket.create_server(("127.0.0.1", 7001), backlog=64)
        kept = [socket.socket() for _ in range(3)]
        client = socket.create_connection(("127.0.0.1", 7001))
        kept.append(leaky.accept()[0])
        client.close()
        print("ready", flush=True)
        silent = []
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            client = socket.create_connection(("127.0.0.1", 7000))
            accepted = server.accept()[0]
            accepted.send(b"answer"); client.recv(6); client.close(); accepted.close()
            refused = socket.socket(); refused.connect_ex(("127.0.0.1", 1)); refused.close()
            nobody = socket.socket(); nobody.setblocking(False); nobody.connect_ex(("192.0.2.77", 80))
            silent = silent[-40:] + [nobody]
        """

    @Test func `The page has questions, and each says what to look for`() {
        #expect(Question.all.count > 10)
        #expect(Question.all.allSatisfy { $0.command.hasPrefix("tcpstates ") && $0.mark.count < 20 })
    }

    @Test(arguments: Question.all)
    private func `The command answers its question`(question: Question) throws {
        guard Program.isRoot else { try Test.cancel("some of the answers take root") }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        // What goes to a host that is not there is lost on the way.
        let route = "ip link set lo up; ip address add 192.0.2.9/32 dev lo; ip route add 192.0.2.0/24 dev lo"
        _ = try lab.spawn("/bin/sh", ["-c", route])
        let program = try lab.run { try Program(["/usr/bin/python3", "-c", Self.trouble]) }
        try #require(program.readLine() == "ready")
        let tool = URL(filePath: Tool.path).deletingLastPathComponent().path
        let script = "PATH='\(tool)':$PATH; \(question.command)"
        let result = try lab.spawn("/bin/sh", ["-c", script])
        program.say("")
        // The doctor's status says that something is wrong here.
        let isAnswered = result.status == .exited(0) || question.command.hasPrefix("tcpstates doctor")
        #expect(isAnswered, "\(result.standardError)")
        #expect((result.standardOutput + result.standardError).contains(question.mark), "\(result.standardOutput)")
    }
}
