internal import CLab
internal import Glibc
internal import Synchronization

extension Lab {
    /// Runs a program in the namespace to its end; one that goes on for longer than `duration` is killed, and that is
    /// an error.
    ///
    /// Its standard input is empty. Its environment and user are those of the tests where none are given; with a `uid`
    /// it has that user and group and no privilege. A `terminal` of 80 columns is its standard output alone.
    @discardableResult
    package func spawn(
        _ path: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil,
        uid: UInt32? = nil,
        terminal: Bool = false,
        within duration: Duration = .labDeadline
    ) throws(LabError) -> ChildProcess.Result {
        try start(path, arguments, environment: environment, uid: uid, terminal: terminal).wait(within: duration)
    }

    /// Starts a program in the namespace, as ``spawn(_:_:environment:uid:terminal:within:)`` does; it is killed with
    /// the lab at the latest.
    @discardableResult
    package func start(
        _ path: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil,
        uid: UInt32? = nil,
        terminal: Bool = false
    ) throws(LabError) -> ChildProcess {
        var command = [path] + arguments
        if let uid {
            try Self.requireMapped(uid)
            command = ["/usr/bin/setpriv", "--reuid=\(uid)", "--regid=\(uid)", "--clear-groups", "--"] + command
        }
        let output = try terminal ? Channel.terminal() : Channel.pipe()
        let error = try Channel.pipe()
        var id = pid_t()
        let failure = run {
            Self.spawn(command, environment, output: output.far, error: error.far, &id)
        }
        guard failure == 0 else {
            throw LabError(.systemCall(failure), "start \(command[0]): \(text(ofErrno: failure))")
        }
        let exit = try Descriptor("pidfd_open") { clab_pidfd_open(id) }
        return keep(
            ChildProcess(
                path,
                id: id,
                exit: exit,
                output: .init(from: output.near),
                error: .init(from: error.near),
                hasTerminal: terminal
            )
        )
    }

    /// Throws where the process's user namespace does not have the user.
    private static func requireMapped(_ uid: UInt32) throws(LabError) {
        let isMapped = try read("/proc/self/uid_map").split(separator: "\n").contains { line in
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            return numbers.count == 3 && numbers[0] <= uid && UInt64(uid) < numbers[0] + numbers[2]
        }
        guard isMapped else {
            throw LabError(.notPermitted, "user \(uid) does not exist in this user namespace: run the tests as root")
        }
    }

    /// `posix_spawn(3)`; answers its errno, or 0 and the child's id.
    private static func spawn(
        _ command: [String],
        _ environment: [String: String]?,
        output: Descriptor,
        error: Descriptor,
        _ id: inout pid_t
    ) -> Int32 {
        guard let output = output.rawValue, let error = error.rawValue else { return EBADF }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO)
        // Nothing else: whoever reads the end of a pipe of another test's would wait for this program to end.
        clab_close_from(&actions, 3)

        // The child starts with signals as a shell would start it, whatever the test runner has set.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let variables = environment?.map { "\($0.key)=\($0.value)" }
        return withCStrings(command) { arguments in
            withCStrings(variables ?? []) { variables in
                let variables = environment == nil ? environ : variables
                return childBirth.withLock { _ in
                    posix_spawn(&id, command[0], &actions, &attributes, arguments, variables)
                }
            }
        }
    }
}

/// A way for a program's output: the program has the far end, the test reads the near one and does not block.
private struct Channel {
    let near: Descriptor
    let far: Descriptor

    static func pipe() throws(LabError) -> Channel {
        var ends: [Int32] = [0, 0]
        try systemCall("pipe2") { pipe2(&ends, O_CLOEXEC) }
        let channel = Channel(near: Descriptor(ends[0]), far: Descriptor(ends[1]))
        try channel.near.call("fcntl(O_NONBLOCK)") { fcntl($0, F_SETFL, O_NONBLOCK) }
        return channel
    }

    static func terminal() throws(LabError) -> Channel {
        let flags = O_RDWR | O_NOCTTY | O_CLOEXEC
        let near = try Descriptor("open /dev/ptmx") { open("/dev/ptmx", flags | O_NONBLOCK) }
        var locked: Int32 = 0
        try near.call("ioctl(TIOCSPTLCK)") { ioctl($0, clab_unlock_terminal, &locked) }
        var size = winsize(ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0)
        try near.call("ioctl(TIOCSWINSZ)") { ioctl($0, UInt(TIOCSWINSZ), &size) }
        let far = try near.call("ioctl(TIOCGPTPEER)") { ioctl($0, clab_far_end_of_terminal, flags) }
        return Channel(near: near, far: Descriptor(far))
    }
}

/// Hands the strings to a C function as a vector that ends with NULL.
private func withCStrings<Value>(
    _ strings: [String],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
) -> Value {
    var pointers = strings.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    pointers.append(nil)
    return body(&pointers)
}
