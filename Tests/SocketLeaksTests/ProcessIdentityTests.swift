import Glibc
import LinuxSystem
import SockDiag
import TCPStateLab
import Testing

@testable import SocketLeaks

@Suite struct ProcessIdentityTests {
    @Test(.enabled(if: Program.isRoot, "only root chooses the next process' number"))
    func aProcessWithTheNumberOfOneThatHasEndedIsAnother() throws {
        let lines = try Program.run(["/usr/bin/unshare", "-mpf", "--mount-proc", Program.probe, "reused-number"])
        if lines.first?.hasPrefix("refused") == true || lines.isEmpty {
            try Test.cancel("this kernel does not let a process choose the next one's number: \(lines)")
        }
        let expected = [
            "same number true same process false",
            "by number 1",  // what would be taken for the first one's
            "by process 0",
            "stranger's own 1",
            "running false true",
            "forgotten 0 ended true",
            "stranger forgot 1",
            "descendants true",
        ]
        #expect(lines.prefix(8) == expected[...])
    }

    @Test func aProcessIsTheSameAtEveryTime() throws {
        let child = try Program(["/bin/cat"])
        try child.waitForEcho()
        let proc = try ProcessDirectory()
        let found = ProcessIdentity(of: child.pid, in: proc)
        let first = try #require(found)
        let descendants = try ProcessIdentity.descendants()
        #expect(descendants.contains(first))
        #expect(!descendants.contains { $0.pid == getpid() })
        kill(child.pid, SIGKILL)
        // It has not been waited for, and has its number still.
        while first.isRunning(in: proc) { sched_yield() }
        let zombie = ProcessIdentity(of: child.pid, in: proc)
        #expect(zombie == first)
    }

    @Test(arguments: [
        ("7 (a) b) c) S 3 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 8812 99 100", UInt64(8812)),
        ("7 (cat) Z 3 7 7 0 -1 4194308 1 2 3 4 5 6 7 8 20 0 1 0 8812 99 100", 8812),
        ("7 (cat) S 3 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1", nil),
        ("7 cat S 3", nil), ("", nil),
    ])
    func theNameOfAProcessMayHaveAnyByteInIt(_ line: String, _ startTime: UInt64?) {
        let status = ProcessStatus(line: Array(line.utf8))
        #expect(status?.startTime == startTime)
        #expect(status.map(\.parent) == startTime.map { _ in 3 })
    }
}
