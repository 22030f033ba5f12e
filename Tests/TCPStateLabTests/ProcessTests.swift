internal import Glibc
internal import TCPStateLab
internal import Testing

@Suite("Programs in the namespace")
struct ProcessTests {
    @Test func `A program lives in the lab's namespace`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let result = try lab.spawn("/usr/bin/readlink", ["/proc/self/ns/net"])
        #expect(result.standardOutput == "net:[\(lab.namespace.inode)]\n")
        #expect(result.status == .exited(0))
    }

    @Test func `Both outputs are read however long they are, and the status is the program's`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let script = "head -c 300000 /dev/zero; head -c 400000 /dev/zero >&2; head -c 1 /dev/zero; exit 7"
        let result = try lab.spawn("/bin/sh", ["-c", script])
        #expect(result.standardOutput.utf8.count == 300_001)
        #expect(result.standardError.utf8.count == 400_000)
        #expect(result.status == .exited(7))
    }

    @Test func `A program that a signal ends says which`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        #expect(try lab.spawn("/bin/sh", ["-c", "kill -TERM $$"]).status == .signaled(SIGTERM))
    }

    @Test func `A program that is not there is an error that names it`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let error = #expect(throws: LabError.self) { try lab.spawn("/nowhere/tcpstates") }
        #expect(error?.description == "start /nowhere/tcpstates: No such file or directory")
    }

    @Test func `The environment is the one that was given`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        #expect(try lab.spawn("/usr/bin/env", environment: ["NO_COLOR": "1"]).standardOutput == "NO_COLOR=1\n")
    }

    @Test func `Another user has no privilege`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let result = try cancelUnlessPermitted { () throws(LabError) in
            try lab.spawn("/bin/sh", ["-c", "id -u; id -G; grep CapEff /proc/self/status"], uid: 65534)
        }
        #expect(result.standardOutput == "65534\n65534\nCapEff:\t0000000000000000\n")
    }

    @Test func `A program that goes on for too long is killed, and the error has what it said`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let child = try lab.start("/bin/sh", ["-c", "echo before; exec sleep 1000"])
        try child.output("a line") { $0 == "before\n" }
        let error = #expect(throws: LabError.self) { try child.wait(within: .milliseconds(1)) }
        #expect(error?.description.contains("standard output: before") == true)
        #expect(waitpid(child.id, nil, WNOHANG) == -1, "it is no child any more")
    }

    @Test func `A program can be followed and signalled while it runs`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let script = "trap 'kill $!; echo bye; exit 3' INT; sleep 1000 & echo ready; wait"
        let child = try lab.start("/bin/sh", ["-c", script])
        try child.output("ready") { $0.contains("ready\n") }
        child.signal(SIGINT)
        let result = try child.wait()
        #expect(result.standardOutput == "ready\nbye\n")
        #expect(result.status == .exited(3))
    }

    @Test func `A program's end does not wait for what it left running`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let result = try lab.spawn("/bin/sh", ["-c", "sleep 1000 & echo $!"])
        let left = try #require(pid_t(result.standardOutput.dropLast()))
        #expect(kill(left, SIGKILL) == 0)
    }

    @Test func `A terminal is one, and all that is written to it arrives`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let script = "stty size <&1; seq 2000; echo no terminal here >&2"
        let result = try lab.spawn("/bin/sh", ["-c", script], terminal: true)
        let lines = result.standardOutput.split(separator: "\r\n")
        #expect(lines.first == "24 80")
        #expect(lines.dropFirst().elementsEqual((1...2000).map { "\($0)" }))
        #expect(result.standardError == "no terminal here\n")
    }
}
