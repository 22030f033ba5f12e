import Glibc
import LinuxSystem
import TCPStateLab
import Testing

@testable import SockDiag

/// Namespaces as `ip netns` makes them. They are the machine's: each has a name of its own, and goes with its test.
@Suite(.enabled(if: Program.isRoot, "only root can make a network namespace"))
final class NamedNamespaceTests {
    private let name = "tcpstates-\(getpid())-\(UInt32.random(in: 0..<UInt32.max))"

    init() throws {
        let lines = try ip("netns add \(name)")
        if !lines.isEmpty { try Test.cancel("`ip netns add` says: \(lines.joined(separator: "; "))") }
    }

    deinit { _ = try? ip("netns delete \(name)") }

    @Test func `A name is found, listed once, and in the error about another one`() throws {
        let namespace = try NetworkNamespace(name)
        #expect(namespace.name == name && namespace.label == name && namespace.pid == nil)
        #expect(try NetworkNamespace(path: "/run/netns/\(name)") == namespace)
        #expect(try NetworkNamespace.current != namespace)
        let listed = try NetworkNamespace.all().filter { $0 == namespace }
        #expect(listed.map(\.label) == [name])
        let error = #expect(throws: KernelError.self) { try NetworkNamespace("tcpstates-none") }
        #expect(error?.remedy.contains(name) == true)
    }

    @Test func `A named namespace with processes in it is listed once, with the first of them`() throws {
        let children = try (0..<2).map { _ in try Program(["/sbin/ip", "netns", "exec", name, "cat"]) }
        for child in children { try child.waitForEcho() }
        let listed = try NetworkNamespace.all().filter { $0.name == name }
        #expect(listed.map(\.pid) == [children.map(\.pid).min()])
        #expect(listed.map(\.id) == [try NetworkNamespace(pid: children[0].pid).id])
    }

    @Test func `A namespace without a name is labelled by the process in it`() throws {
        let child = try Program(["/usr/bin/unshare", "-n", "cat"])
        try child.waitForEcho()
        let namespace = try NetworkNamespace(pid: child.pid)
        #expect(namespace.label == "pid:\(child.pid)(cat)" && namespace.name == nil)
        #expect(try NetworkNamespace.all().filter { $0 == namespace }.map(\.label) == [namespace.label])
    }

    @Test func `A client sees the sockets of its namespace alone, and its maker stays where it is`() throws {
        let namespace = try NetworkNamespace(named: name)
        let before = try NetworkNamespace.current
        let listener = try namespace.run { () throws(KernelError) in Listener() }
        #expect(try NetworkNamespace.current == before)

        var there = try SockDiagClient(in: namespace)
        #expect(try NetworkNamespace.current == before)
        #expect(try there.sockets(in: .listen).map(\.local.port) == [listener.port])
        var here = try SockDiagClient(in: before)
        #expect(try !here.sockets(in: .listen).contains { $0.inode == listener.inode })
    }

    @Test func `An error of the closure in the namespace comes out as it was`() throws {
        let failure = KernelError(.malformedReply, operation: "test")
        #expect(throws: failure) {
            try NetworkNamespace(named: self.name).run { () throws(KernelError) -> Int in throw failure }
        }
    }

    @Test func `A namespace that has ended is an error, not another namespace`() throws {
        let namespace = try NetworkNamespace(named: name)
        _ = try ip("netns delete \(name)")
        let error = try #require(throws: KernelError.self) { _ = try SockDiagClient(in: namespace) }
        #expect(error.description == "cannot enter the network namespace \(name): it has ended")
        #expect(try !NetworkNamespace.all().contains(namespace))

        _ = try ip("netns add \(name)")
        let replaced = NetworkNamespace(
            id: .init(device: namespace.id.device, inode: 1),
            path: "/run/netns/\(name)",
            label: name
        )
        #expect(throws: error) { _ = try SockDiagClient(in: replaced) }
    }

    @Test func `A namespace outlives the process that it was found by while another is in it`() throws {
        let first = try Program(["/usr/bin/unshare", "-n", "cat"])
        try first.waitForEcho()
        let namespace = try NetworkNamespace(pid: first.pid)
        let second = try Program(["/usr/bin/nsenter", "--net=/proc/\(first.pid)/ns/net", "cat"])
        try second.waitForEcho()
        _ = first.finish()
        // Its output ends before it leaves the namespace.
        let proc = try ProcessDirectory()
        while proc.kind(of: first.pid) == .program { sched_yield() }
        var client = try SockDiagClient(in: namespace)
        #expect(try client.sockets().isEmpty)
    }

    @Test func `Clients and listings leave no descriptor open`() throws {
        #expect(try Program.run([Program.probe, "namespaces"]).last == "left open 0")
        #expect(try Program.run([Program.probe, "listeners", name]) == ["left open 0"])
        #expect(try Program.run([Program.probe, "listeners", "."]).last == "left open 0")
    }

    private func ip(_ arguments: String) throws -> [String] { try Program.shell("exec ip \(arguments)") }
}

/// A listening TCP socket on a port of the kernel's choice.
private final class Listener: Sendable {
    let inode: UInt32
    let port: UInt16
    private let descriptor: Int32

    init() {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        listen(descriptor, 1)
        var status = stat()
        fstat(descriptor, &status)
        inode = UInt32(truncatingIfNeeded: status.st_ino)
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &size) }
        }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }
}
