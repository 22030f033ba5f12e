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

    @Test func `A user without privileges is told which process it is that he may not read, and what it takes`() throws
    {
        let lines = try Program.run(Program.asNobody + probe)
        try #require(lines.count == 4, "\(lines)")
        // The lowest number of root's processes is 1, whatever it is called.
        #expect(lines[2].contains(" cannot be read, as process 1 (") || lines[2].hasPrefix("process 1 ("))
        #expect(lines[2].hasSuffix("it takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, as root has them"))
    }

    @Test func `Root in a user namespace is told that his capabilities do not count outside of it`() throws {
        let lines = try Program.shell("exec unshare -Ur \(probe.joined(separator: " "))")
        if lines.first?.contains("unshare failed") == true { try Test.cancel("user namespaces are forbidden here") }
        try #require(lines.count == 4, "\(lines)")
        #expect(lines[2].contains("being outside of this user namespace"))
        #expect(lines[2].hasSuffix("it takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH in the first user namespace"))
    }

    @Test func `Root whom a security module refuses is told so, and not to become root`() throws {
        let probe = probe
        guard let lines = try confined({ try Program.run(probe) }) else {
            try Test.cancel("the kernel has no Landlock")
        }
        try #require(lines.count == 4, "\(lines)")
        #expect(lines[0] == "\(socket.inode) ", "its holder is outside of the domain")
        #expect(lines[2].contains("for a security module refuses it, whatever capabilities there are"))
        #expect(!lines[2].contains("CAP_"))
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
