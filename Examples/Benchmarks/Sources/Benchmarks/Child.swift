import Glibc

/// A process that was started, with pipes to its standard input and output where asked for.
struct Child {
    /// What is to be done with its standard output; and with its standard error, where nobody is to see either.
    enum Output { case discard, discardBoth, pipe }

    /// What it took.
    struct Cost {
        let status: Int32
        let wall: Double
        let cpu: Double
    }

    let pid: pid_t
    let input: Int32
    let output: Int32
    private let started: Double

    init(_ command: [String], output wanted: Output = .discard, keepsInput: Bool = false) throws {
        var toChild: (read: Int32, write: Int32) = (-1, -1)
        var fromChild: (read: Int32, write: Int32) = (-1, -1)
        if keepsInput { toChild = try Self.makePipe() }
        if wanted == .pipe { fromChild = try Self.makePipe() }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if keepsInput {
            posix_spawn_file_actions_adddup2(&actions, toChild.read, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        if wanted == .pipe {
            posix_spawn_file_actions_adddup2(&actions, fromChild.write, 1)
        } else {
            posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        }
        if wanted == .discardBoth { posix_spawn_file_actions_adddup2(&actions, 1, 2) }
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var pid: pid_t = 0
        started = now()
        let failure = posix_spawnp(&pid, command[0], &actions, nil, &arguments, environ)
        if keepsInput { close(toChild.read) }
        if wanted == .pipe { close(fromChild.write) }
        guard failure == 0 else {
            throw Failure("cannot start \(command[0]): \(String(cString: strerror(failure)))")
        }
        self.pid = pid
        input = toChild.write
        output = fromChild.read
    }

    private static func makePipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure.system("make a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// Reads its standard output to the end; how many bytes there were, and the last of them.
    func drain() -> (count: Int, tail: String) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var tail: [UInt8] = []
        var total = 0
        while true {
            let count = read(output, &buffer, buffer.count)
            guard count > 0 else { break }
            total += count
            tail = (tail + buffer[..<count].suffix(64)).suffix(64)
        }
        close(output)
        return (total, String(decoding: tail, as: UTF8.self))
    }

    /// Waits for its end.
    func wait() throws -> Cost {
        var status: Int32 = 0
        var usage = rusage()
        while wait4(pid, &status, 0, &usage) < 0 {
            guard errno == EINTR else { throw Failure.system("wait for \(pid)") }
        }
        let cpu = [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
        let exit = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + status & 0x7f
        return Cost(status: exit, wall: now() - started, cpu: cpu)
    }
}

/// Programs that keep each processor busy.
struct BusyLoops: ~Copyable {
    private var children: [Child] = []

    init() throws {
        for _ in 0..<sysconf(Int32(_SC_NPROCESSORS_ONLN)) {
            children.append(try Child([CommandLine.arguments[0], "spin"]))
        }
    }

    deinit {
        for child in children {
            kill(child.pid, SIGKILL)
            _ = try? child.wait()
        }
    }
}
