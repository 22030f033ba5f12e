import Glibc
import SockDiag
import TCPStateLab
import Testing

/// What another user sees, and from within other namespaces.
@Suite(.enabled(if: Program.isRoot, "only root can become somebody else"))
struct PrivilegeTests {
    private let socket: TestSocket
    private let probe: [String]

    init() throws {
        socket = try TestSocket()
        probe = [Program.probe, "owners", String(socket.inode)]
    }

    @Test func `A user without privileges finds what is his own, and how much is not`() throws {
        let lines = try Program.run(Program.asNobody + probe, descriptors: [40: socket.descriptor])
        try #require(lines.count == 4, "\(lines)")
        #expect(lines[0].hasPrefix("\(socket.inode) SystemProbe(") && lines[0].hasSuffix("):40"))
        #expect(!lines[1].hasPrefix("unreadable 0 ") && lines[1].hasSuffix("hidden false"))
        #expect(lines[2].contains("CAP_SYS_PTRACE"))
    }

    @Test func `A socket of an unreadable process shows no owner`() throws {
        let lines = try Program.run(Program.asNobody + probe)
        #expect(lines.first == "\(socket.inode) ", "\(lines)")
    }

    @Test(arguments: [(1, "hidden false"), (2, "hidden true")])
    func `hidepid does not make a socket one without an owner`(level: Int, answer: String) throws {
        let command = (Program.asNobody + probe).joined(separator: " ")
        let lines = try Program.shell(
            "exec unshare -m sh -c 'mount -t proc -o hidepid=\(level) proc /proc && exec \(command)'",
            descriptors: [40: socket.descriptor]
        )
        try #require(lines.count == 4, "\(lines)")
        #expect(lines[0].hasSuffix("):40"))
        // Behind level 2 the user's own processes are left, and one that starts just now may not be readable yet.
        #expect(lines[1].hasSuffix(answer) && (level == 2 || !lines[1].hasPrefix("unreadable 0 ")))
        #expect(lines[2].contains("CAP_SYS_PTRACE") && lines[2].contains("hidepid") == (level == 2))
    }

    @Test func `Inside a PID namespace the owners have its numbers`() throws {
        let command = ["/usr/bin/unshare", "-mpf", "--mount-proc"] + probe
        let lines = try Program.run(command, descriptors: [40: socket.descriptor])
        #expect(lines.first == "\(socket.inode) SystemProbe(1):40", "\(lines)")
        #expect(lines.dropFirst().first == "unreadable 0 hidden false")
    }

    @Test func `A pass leaves no descriptor open`() throws {
        #expect(try Program.run(probe).last == "left open 0")
    }
}
