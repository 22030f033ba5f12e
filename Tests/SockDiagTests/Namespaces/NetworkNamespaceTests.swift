import Glibc
import TCPStateLab
import Testing

@testable import SockDiag

@Suite struct NetworkNamespaceTests {
    @Test func `The current namespace is the one that the kernel names`() throws {
        let current = try NetworkNamespace.current
        #expect("net:[\(current.inode)]" == (try link("/proc/thread-self/ns/net")))
        #expect(current.pid == getpid())
        #expect(current.label == "net:[\(current.inode)]")
    }

    @Test func `One namespace is the same however it is named`() throws {
        let current = try NetworkNamespace.current
        let descriptor = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        let path = "/proc/\(getpid())/ns/net"
        let found = [
            try NetworkNamespace(pid: getpid()), try NetworkNamespace(path: path),
            try NetworkNamespace(descriptor: descriptor), try NetworkNamespace("\(getpid())"),
            try NetworkNamespace(path),
        ]
        #expect(found.allSatisfy { $0 == current && $0.id == current.id })
        #expect(Set(found).count == 1)
    }

    @Test func `Every namespace is listed once, and this one is among them`() throws {
        let all = try NetworkNamespace.all()
        #expect(Set(all.map(\.id)).count == all.count)
        #expect(all.contains(try NetworkNamespace.current))
    }

    @Test func `A name that does not exist is an error that says so`() throws {
        for name in ["tcpstates-none", "", ".", "..", "a b\n"] {
            let error = #expect(throws: KernelError.self) { try NetworkNamespace(named: name) }
            #expect(error?.code == .notFound)
            let label = String(escaping: name.utf8)
            let start = "cannot open the network namespace \(label): No such file or directory; there are"
            #expect(error?.description.hasPrefix(start) == true)
        }
    }

    @Test func `A process that is gone is an error that says so`() throws {
        let error = #expect(throws: KernelError.self) { try NetworkNamespace("2147483647") }
        #expect(error?.code == .notFound && error?.errno == ESRCH)
        #expect(
            error?.description
                == "cannot open the network namespace of process 2147483647: No such process; it has ended; name a process that runs"
        )
    }

    @Test func `A file of another kind is not entered, nor opened where that would have an effect`() throws {
        let directory = try #require(try Program.run(["/bin/mktemp", "-d"]).first)
        let pipe = directory + "/pipe"
        mkfifo(pipe, 0o600)
        defer {
            unlink(pipe)
            rmdir(directory)
        }
        for path in ["/proc/self/ns/uts", "/proc/self/stat", "/dev/null", directory, pipe] {
            let error = #expect(throws: KernelError.self) { try NetworkNamespace(path) }
            #expect(error?.code == .invalidRequest)
            #expect(error?.detail == "it is not a network namespace")
        }
        #expect(throws: KernelError.self) { try NetworkNamespace(descriptor: -1) }
        #expect(throws: KernelError.self) { try NetworkNamespace(path: directory + "/none") }
    }

    @Test func `The own namespace needs no privilege`() throws {
        let lines = try Program.run(unprivileged + [Program.probe, "listeners", "/proc/self/ns/net"])
        #expect(lines.last?.hasPrefix("left open 0") == true && !lines.contains { $0.hasPrefix("cannot") }, "\(lines)")
    }

    @Test func `A namespace of one's own user namespace is entered without root`() throws {
        let lines = try enterOuter("unshare -Urn")
        #expect(lines.count == 1 && lines.last?.hasPrefix("left open 0") == true, "\(lines)")
    }

    @Test func `To enter another's namespace takes a privilege that the error names`() throws {
        let lines = try enterOuter("unshare -Ur")
        #expect(
            lines.first == """
                cannot enter the network namespace /proc/self/fd/9: Operation not permitted; \
                it needs CAP_SYS_ADMIN, here and in the user namespace that owns it: run as root
                """
        )
    }

    /// What the probe says of the listeners in the namespace that `command` makes or keeps, from within a new one.
    private func enterOuter(_ command: String) throws -> [String] {
        let inner = "exec 9</proc/self/ns/net; exec unshare -n \(Program.probe) listeners /proc/self/fd/9"
        let lines = try Program.shell("exec \(unprivileged.joined(separator: " ")) \(command) sh -c '\(inner)'")
        if lines.first?.contains("unshare failed") == true { try Test.cancel("user namespaces are forbidden here") }
        return lines
    }

    private var unprivileged: [String] { Program.isRoot ? Program.asNobody : [] }
}

private func link(_ path: String) throws -> String {
    var text = [CChar](repeating: 0, count: 64)
    let length = readlink(path, &text, text.count)
    return String(decoding: text.prefix(max(length, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
}
