import Glibc
import SockDiag
import TCPStateLab
import Testing

@testable import SocketOwners

@Suite struct OwnerMemoryTests {
    private let cookie = SocketCookie(rawValue: 0x1_0000_0001)

    @Test func `Owners are known until they are forgotten, also when the socket is gone`() throws {
        var memory = OwnerMemory()
        do {
            let socket = try TestSocket()
            memory.note(cookie, inode: socket.inode)
            #expect(memory[cookie].isEmpty)
            #expect(try memory.resolve() != nil)
        }
        #expect(memory[cookie].contains { $0.pid == getpid() })
        memory.forget(cookie)
        #expect(memory[cookie].isEmpty)
    }

    @Test func `No process is read where nothing is new`() throws {
        var memory = OwnerMemory()
        #expect(try memory.resolve() == nil)
        let socket = try TestSocket()
        memory.note(cookie, inode: socket.inode)
        #expect(try memory.resolve() != nil)
        memory.note(cookie, inode: socket.inode)
        #expect(try memory.resolve() == nil)
    }

    @Test func `A socket that nobody holds causes one pass, and is found by the next that another causes`() throws {
        var memory = OwnerMemory()
        let socket = try TestSocket()
        // Nobody holds it: the selection that is asked as if it were everybody does not either.
        let nobody = try inodeOfClosedSocket()
        memory.note(cookie, inode: nobody)
        #expect(try memory.resolve() != nil)
        memory.note(cookie, inode: socket.inode)
        #expect(try memory.resolve() == nil)
        #expect(memory[cookie].isEmpty)

        let second = try TestSocket()
        memory.note(SocketCookie(rawValue: 2), inode: second.inode)
        #expect(try memory.resolve() != nil)
        #expect(memory[cookie].contains { $0.descriptor == socket.descriptor })
    }

    @Test func `What the named processes do not hold stays noted for the others`() throws {
        let (mine, shared) = (try TestSocket(), try TestSocket())
        let child = try Program(["/bin/cat"], descriptors: [30: shared.descriptor])
        try child.waitForEcho()
        let other = SocketCookie(rawValue: 2)
        var memory = OwnerMemory()
        memory.note(cookie, inode: mine.inode)
        memory.note(other, inode: shared.inode)
        let coverage = try memory.resolve(in: ProcessSelection(pids: [child.pid]))
        #expect(coverage?.processes == 1)
        #expect(memory[other].map(\.pid) == [child.pid] && memory[cookie].isEmpty)
        #expect(try memory.resolve() != nil)
        #expect(memory[cookie].contains { $0.pid == getpid() })
    }

    @Test func `Whoever inherits a socket later is found once it is forgotten`() throws {
        let socket = try TestSocket()
        var memory = OwnerMemory()
        memory.note(cookie, inode: socket.inode)
        try memory.resolve()
        let child = try Program(["/bin/cat"], descriptors: [30: socket.descriptor])
        try child.waitForEcho()
        memory.note(cookie, inode: socket.inode)
        try memory.resolve()
        #expect(!memory[cookie].contains { $0.pid == child.pid })
        memory.forget(cookie)
        memory.note(cookie, inode: socket.inode)
        try memory.resolve()
        #expect(memory[cookie].contains { $0.pid == child.pid })
    }

    @Test func `A connection has its owner still in TIME_WAIT, where the kernel knows none`() throws {
        let connection = try Loopback()
        var client = try SockDiagClient()
        var memory = OwnerMemory()
        var query = SocketQuery()
        query.localPort = connection.clientPort
        try client.forEach(query) { memory.note($0) }
        try memory.resolve()
        connection.close()
        while true {
            let sockets = try client.sockets(query)
            guard let socket = sockets.first(where: { $0.state == .timeWait }) else {
                sched_yield()
                continue
            }
            #expect(socket.inode == nil)
            #expect(memory[socket.cookie].contains { $0.pid == getpid() && $0.descriptor == connection.client })
            return
        }
    }

    private func inodeOfClosedSocket() throws -> UInt32 { try TestSocket().inode }
}
