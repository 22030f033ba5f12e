import Glibc
import LinuxSystem
import SockDiag
import TCPStateLab
import Testing

@testable import SocketOwners

@Suite struct OwnerSnapshotTests {
    @Test func `A socket of this process is found with process, name and descriptor`() throws {
        let socket = try TestSocket()
        let owners = try OwnerSnapshot(of: [socket.inode])[socket.inode].filter { $0.pid == getpid() }
        let name = try #require(ProcessName(commOf: "/proc/self", in: AT_FDCWD))
        #expect(owners == [SocketOwner(pid: getpid(), name: name, descriptor: socket.descriptor)])
    }

    @Test func `Every process and every descriptor that holds a socket is an owner`() throws {
        let socket = try TestSocket()
        let second = fcntl(socket.descriptor, F_DUPFD_CLOEXEC, 0)
        defer { close(second) }
        let child = try Program(["/bin/cat"], descriptors: [30: socket.descriptor, 31: socket.descriptor])
        try child.waitForEcho()

        let owners = try OwnerSnapshot(of: [socket.inode])[socket.inode]
        let mine = owners.filter { $0.pid == getpid() }.map(\.descriptor)
        #expect(mine == [socket.descriptor, second].sorted())
        let others = owners.filter { $0.pid == child.pid }
        #expect(others.map(\.descriptor) == [30, 31])
        #expect(others.map(\.name.description) == ["cat", "cat"])
    }

    @Test func `What was not asked for is not kept`() throws {
        let (asked, other) = (try TestSocket(), try TestSocket())
        let snapshot = try OwnerSnapshot(of: [asked.inode, 0])
        #expect(snapshot.contains(asked.inode) && !snapshot.contains(other.inode))
        #expect(snapshot[other.inode].isEmpty && snapshot[nil].isEmpty && snapshot[0].isEmpty)
        #expect(!snapshot.contains(nil))
    }

    @Test func `Without inodes every socket is found`() throws {
        let socket = try TestSocket()
        #expect(try OwnerSnapshot().contains(socket.inode))
    }

    @Test func `To ask for nothing costs nothing`() throws {
        #expect(try OwnerSnapshot(of: []).coverage == ScanCoverage())
    }

    @Test func `A selection by number reads that process alone`() throws {
        let socket = try TestSocket()
        let child = try Program(["/bin/cat"], descriptors: [30: socket.descriptor])
        try child.waitForEcho()
        let snapshot = try OwnerSnapshot(in: ProcessSelection(pids: [child.pid]))
        #expect(snapshot[socket.inode].map(\.pid) == [child.pid])
        #expect(snapshot.coverage.processes == 1 && snapshot.coverage.isComplete)
    }

    @Test func `A process that is not there is no owner and no error`() throws {
        let child = try Program(["/bin/true"])
        _ = child.finish()
        let snapshot = try OwnerSnapshot(in: ProcessSelection(pids: [child.pid, 0x7fff_ffff, -1]))
        #expect(snapshot.coverage.descriptors == 0 && snapshot.coverage.unreadable == 0)
    }

    @Test func `A selection by name reads those of that name, cut as the kernel cuts it`() throws {
        let socket = try TestSocket()
        let name = "tcpstates-long-name-\(getpid())"
        let child = try startCat(called: name, holding: socket)
        let other = try Program(["/bin/cat"], descriptors: [30: socket.descriptor])
        try other.waitForEcho()
        let snapshot = try OwnerSnapshot(of: [socket.inode], in: ProcessSelection(names: [ProcessName(name)]))
        #expect(snapshot[socket.inode].map(\.pid) == [child.pid])
        let both = ProcessSelection(pids: [other.pid], names: [ProcessName(name)])
        #expect(try OwnerSnapshot(of: [socket.inode], in: both)[socket.inode].count == 2)
    }

    @Test func `A name chosen to deceive a terminal is whole in its bytes and harmless in print`() throws {
        let socket = try TestSocket()
        let child = try startCat(called: #"$(printf 'a\033[2J\n)\377\\b')"#, holding: socket)
        let owner = try #require(try OwnerSnapshot(of: [socket.inode])[socket.inode].first { $0.pid == child.pid })
        #expect(owner.name.bytes == Array("a\u{1b}[2J\n)".utf8) + [0xff] + Array("\\b".utf8))
        #expect(owner.name.description == #"a\x1b[2J\x0a)\xff\\b"#)
        #expect(owner.description == #"a\x1b[2J\x0a)\xff\\b(\#(child.pid)):30"#)
    }

    @Test func `All of a process' sockets are found, however many`() throws {
        let sockets = try (0..<600).map { _ in try TestSocket() }
        let snapshot = try OwnerSnapshot(of: sockets.map(\.inode))
        for socket in sockets {
            #expect(snapshot[socket.inode].contains { $0.pid == getpid() && $0.descriptor == socket.descriptor })
        }
    }

    @Test func `Processes that come and go during the pass cost nobody else his sockets`() throws {
        let socket = try TestSocket()
        let churn = try Program(["/bin/sh", "-c", "echo go; while :; do /bin/true; /bin/true | /bin/true; done"])
        #expect(churn.readLine() == "go")
        for _ in 0..<20 {
            #expect(try OwnerSnapshot(of: [socket.inode])[socket.inode].contains { $0.pid == getpid() })
        }
    }

    @Test func `A process whose main thread has ended still owns its sockets`() throws {
        let socket = try TestSocket()
        let child = try Program([Program.probe, "leaderless"], descriptors: [30: socket.descriptor])
        try child.waitForEcho()
        // The answer comes from the other thread: the main one may live for another moment.
        while !(try #require(ProcessState.of(child.pid)) == "Z") { sched_yield() }
        let owner = try #require(try OwnerSnapshot(of: [socket.inode])[socket.inode].first { $0.pid == child.pid })
        #expect(owner.descriptor == 30 && owner.name.description == "SystemProbe")
    }

    /// A program whose name is what the shell makes of `name`, with the socket as descriptor 30.
    private func startCat(called name: String, holding socket: TestSocket) throws -> Program {
        let directory = try #require(try Program.run(["/bin/mktemp", "-d"]).first)
        defer { _ = try? Program.run(["/bin/rm", "-r", directory]) }
        let script = #"p="\#(directory)/\#(name)"; ln -s /bin/cat "$p"; exec "$p""#
        let child = try Program(["/bin/sh", "-c", script], descriptors: [30: socket.descriptor])
        try child.waitForEcho()
        return child
    }
}

private enum ProcessState {
    /// The letter in `/proc/PID/stat`.
    static func of(_ pid: Int32) -> Character? {
        guard let line = try? OpenFile.start(of: "/proc/\(pid)/stat", limit: 256) else { return nil }
        return String(decoding: line, as: UTF8.self).split(separator: ") ").last?.first
    }
}
