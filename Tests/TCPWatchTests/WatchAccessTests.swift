import TCPStateLab
import TCPWatch
import Testing

@testable import SockDiag

@Suite struct WatchAccessTests {
    @Test func `Each capability is answered once, and what is missing has a remedy`() {
        let access = WatchAccess.current()
        #expect(access.answers.map(\.capability) == WatchAccess.Capability.allCases)
        #expect(access.canPoll, "\(access.shortfalls)")
        for shortfall in access.shortfalls {
            #expect(!shortfall.remedy.contains("make") && !shortfall.remedy.contains("--"), "\(shortfall)")
        }
        #expect(access.isComplete == access.shortfalls.isEmpty)
        #expect(access.namespaces.contains { $0.inode == (try? NetworkNamespace.current)?.inode })
    }

    @Test func `What tracing lacks is what a watcher says that has tried`() throws {
        var configuration = SocketWatcher.Configuration()
        configuration.source = .auto
        let refusal = try SocketWatcher(configuration).traceRefusal
        let access = WatchAccess.current()
        // The kernel has the last word: it may refuse where nothing is known to be missing.
        if let shortfall = access.shortfall(of: .trace) { #expect(refusal == shortfall) }
        if refusal == nil { #expect(access.canTrace) }
    }

    @Test func `A sandbox that denies netlink is named beside the kernel's answer`() throws {
        guard let access = try withoutNetlink(errno: 1, { WatchAccess.current() }) else {
            try Test.cancel("this kernel has no seccomp filters")
        }
        let shortfall = try #require(access.shortfall(of: .ipv4))
        #expect(!access.canPoll && !access.allows(.destroyEvents))
        #expect(shortfall.code == .permissionDenied && shortfall.detail.contains("a seccomp filter is on"))
    }

    @Test(.enabled(if: Program.isRoot, "only root can become somebody else"))
    func `A user without privileges sees the sockets, and is told what takes which capability`() throws {
        let lines = try Program.run(Program.asNobody + [Program.probe, "access"])
        try #require(lines.count == 7, "\(lines)")
        #expect(lines[0] == "ipv4 yes" && lines[2] == "destroy_events yes")
        #expect(lines[3].hasPrefix("trace cannot trace the kernel: ") && lines[3].contains("CAP_BPF and CAP_PERFMON"))
        #expect(lines[4].hasPrefix("owners ") && lines[4].contains("CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"))
        #expect(lines[5].hasPrefix("namespaces ") && lines[5].contains("CAP_SYS_"))
        #expect(lines[6] == "left open 0")
    }

    @Test(.enabled(if: Program.isRoot, "only root has the capabilities that then do not help"))
    func `Root whom a security module refuses other processes is not told to become root`() throws {
        let probe = Program.probe
        guard let lines = try confined({ try Program.run([probe, "access"]) }) else {
            try Test.cancel("the kernel has no Landlock")
        }
        try #require(lines.count == 7, "\(lines)")
        for line in lines[4...5] {
            #expect(line.contains("a security module refuses it") && !line.contains("CAP_"), "\(line)")
        }
        // The first is named, whatever it is called.
        #expect(lines[5].contains("process 1 ("), "\(lines[5])")
    }

    @Test func `An access made by hand answers as one that was asked for`() {
        let missing = KernelError(.missingCapability, operation: "trace the kernel", remedy: "give it CAP_BPF")
        let access = WatchAccess([.init(.ipv4), .init(.ipv6), .init(.trace, shortfall: missing)])
        #expect(access.canPoll && !access.canTrace && !access.isComplete && access.shortfalls == [missing])
        #expect(!access.findsAllOwners, "nobody asked")
        #expect(access.shortfall(of: .owners) == nil)
    }
}
