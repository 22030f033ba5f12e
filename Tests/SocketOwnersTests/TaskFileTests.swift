import BPF
import Glibc
import KernelTrace
import LinuxSystem
import SockDiag
import TCPStateLab
import Testing

@testable import SocketOwners

/// The pass by the kernel's iterator, which a machine with many open files takes, beside the one over /proc.
@Suite struct TaskFileTests {
    init() throws {
        guard TaskFileIterator.isUsable else {
            try Test.cancel("the iterator takes root in the first PID namespace, and \(BPFSupport.here())")
        }
    }

    private func walk(_ inodes: [UInt32]?, _ selection: ProcessSelection = .all) throws -> OwnerTable {
        var wanted = OwnerTable()
        for inode in inodes ?? [] { wanted.insert(UInt64(inode)) }
        return try OwnerScan.walk(for: inodes == nil ? nil : wanted, selection, ProcessDirectory()).table
    }

    @Test func `It finds the same owners as /proc, of every process and descriptor`() throws {
        let sockets = try (0..<3000).map { _ in try TestSocket() }
        let shared = sockets[7]
        let second = fcntl(shared.descriptor, F_DUPFD_CLOEXEC, 0)
        defer { close(second) }
        let child = try Program(["/bin/cat"], descriptors: [30: shared.descriptor, 31: shared.descriptor])
        try child.waitForEcho()
        let walked = try walk(sockets.map(\.inode))
        for socket in sockets {
            let mine = walked.owners(of: UInt64(socket.inode)).filter { $0.pid == getpid() }
            #expect(mine.contains { $0.descriptor == socket.descriptor })
        }
        let chosen = ProcessSelection(pids: [getpid(), child.pid])
        let read = try OwnerSnapshot(of: [shared.inode], in: chosen)[shared.inode]
        #expect(read.count == 4)
        #expect(walked.owners(of: UInt64(shared.inode)).filter { chosen.pids.contains($0.pid) } == read)
    }

    @Test func `Without inodes it finds every socket, and of a selection no other process'`() throws {
        let socket = try TestSocket()
        #expect(try walk(nil).hasOwner(UInt64(socket.inode)))
        let child = try Program(["/bin/cat"], descriptors: [30: socket.descriptor])
        try child.waitForEcho()
        let named = try walk([socket.inode], ProcessSelection(names: [ProcessName("cat")]))
        #expect(named.owners(of: UInt64(socket.inode)).map(\.pid) == [child.pid])
    }

    @Test func `A process whose main thread has ended still owns its sockets`() throws {
        let socket = try TestSocket()
        let child = try Program([Program.probe, "leaderless"], descriptors: [30: socket.descriptor])
        try child.waitForEcho()
        let owners = try walk([socket.inode]).owners(of: UInt64(socket.inode))
        #expect(owners.first { $0.pid == child.pid }?.descriptor == 30)
    }

    @Test func `It counts each descriptor once, and leaves none open`() throws {
        let lines = try Program.run([Program.probe, "iterator"], descriptors: [40: 0, 41: 1])
        #expect(lines == ["missing 0", "left open 0"])
    }
}
