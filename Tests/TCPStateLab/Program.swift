internal import CLab
internal import Glibc

/// A program that a test starts, and talks to over its standard input and output. It ends with the object.
package final class Program: Sendable {
    /// The process.
    package let pid: Int32
    private let talk: Int32

    /// A system call of the helper's own that failed.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Starts the program of the path `command[0]`.
    ///
    /// - Parameters:
    ///   - command: the path, and the arguments.
    ///   - descriptors: what it inherits, by the number that it sees, beyond the first three.
    /// - Throws: ``Failure``.
    package init(_ command: [String], descriptors: [Int32: Int32] = [:]) throws {
        // A pair of sockets, because only they are closed on exec from the start: no other child can keep them open.
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            throw Failure(description: "socketpair: \(errno)")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, pair[1], 0)
        posix_spawn_file_actions_adddup2(&actions, pair[1], 1)
        for (number, own) in descriptors { posix_spawn_file_actions_adddup2(&actions, own, number) }
        // Nothing else: what another test has open is not this program's.
        clab_close_from(&actions, (descriptors.keys.max() ?? 2) + 1)
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, command[0], &actions, nil, &arguments, environ)
        close(pair[1])
        talk = pair[0]
        self.pid = pid
        guard failure == 0 else {
            close(talk)
            throw Failure(description: "\(command[0]): \(String(cString: strerror(failure)))")
        }
    }

    deinit {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        close(talk)
    }

    /// Says a line to a program that answers with the same line, as `cat` does: when it returns, the program runs.
    package func waitForEcho() throws {
        let line = Array("ready\n".utf8)
        guard write(talk, line, line.count) == line.count, readLine() == "ready" else {
            throw Failure(description: "process \(pid) does not answer")
        }
    }

    /// Says a line to it.
    package func say(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = write(talk, bytes, bytes.count)
    }

    /// The next line of its output; nil at the end.
    package func readLine() -> String? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(talk, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
    }

    /// Ends its input, and reads its output to the end.
    package func finish() -> [String] {
        shutdown(talk, Int32(SHUT_WR))
        var lines: [String] = []
        while let line = readLine() { lines.append(line) }
        return lines
    }

    /// Runs a program to its end; its output.
    package static func run(_ command: [String], descriptors: [Int32: Int32] = [:]) throws -> [String] {
        try Program(command, descriptors: descriptors).finish()
    }

    /// Runs a shell script to its end; its output, standard error included.
    package static func shell(_ script: String, descriptors: [Int32: Int32] = [:]) throws -> [String] {
        try run(["/bin/sh", "-c", "exec 2>&1; " + script], descriptors: descriptors)
    }

    /// The path of `SystemProbe`, beside the tests' own program.
    package static var probe: String {
        var path = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &path, path.count)
        let text = String(decoding: path.prefix(max(length, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return text.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/SystemProbe"
    }

    /// `setpriv` and its arguments for the user `nobody`, without any privilege.
    package static let asNobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]

    /// Whether this process is root, and not only within a user namespace: there are other users to become.
    package static var isRoot: Bool {
        var status = stat()
        // The first user namespace has this inode (`PROC_USER_INIT_INO` of `<linux/proc_ns.h>`).
        return geteuid() == 0 && stat("/proc/self/ns/user", &status) == 0 && status.st_ino == 0xeffffffd
    }
}
