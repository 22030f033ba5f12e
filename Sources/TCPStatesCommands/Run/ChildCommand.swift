internal import LinuxLibC
internal import SockDiag
internal import Synchronization

/// The program that a command runs, with the input, output, environment and signals that this process was started with.
struct ChildCommand {
    /// The end of a program.
    enum End: Hashable {
        case exited(Int32)
        case killed(signal: Int32)

        init(waitStatus: Int32) {
            let signal = waitStatus & 0x7f  // WTERMSIG
            self = signal == 0 ? .exited(waitStatus >> 8 & 0xff) : .killed(signal: signal)
        }
    }

    let words: [String]
    let pid: Int32

    /// Starts it in the process group of this process, so that the terminal treats both alike.
    ///
    /// - Parameters:
    ///   - words: the program, which is looked for in `PATH`, and its arguments.
    ///   - mask: the signals that it blocks.
    ///   - hasInput: whether it has this process' standard input; else it has none.
    ///   - output: its standard output; nil for this process'.
    /// - Throws: ``CommandFailure`` with the status by which shells and `env(1)` say that there is no such program (127), or
    ///   that it cannot be started (126).
    init(_ words: [String], mask: sigset_t, hasInput: Bool = true, output: Int32? = nil) throws(CommandFailure) {
        self.words = words
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var mask = mask
        posix_spawnattr_setsigmask(&attributes, &mask)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        if !TCPStates.startedIgnoringSIGPIPE.load(ordering: .relaxed) { sigaddset(&defaults, SIGPIPE) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if !hasInput { posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) }
        if let output { posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) }
        var (failure, pid) = Self.spawn(words, &actions, &attributes)
        // A script without #!, as execvp(3) takes it.
        if failure == ENOEXEC, let script = Self.path(of: words[0]) {
            (failure, pid) = Self.spawn(["/bin/sh", script] + words.dropFirst(), &actions, &attributes)
        }
        guard failure == 0 else {
            var error = CommandFailure("cannot run \(words[0])", errno: failure)
            error.status = failure == ENOENT ? 127 : 126
            throw error
        }
        self.pid = pid
    }

    /// Returns the path of a program, found as the shell finds it.
    private static func path(of word: String) -> String? {
        if word.contains("/") { return word }
        let directories = getenv("PATH").map { String(cString: $0) } ?? "/bin:/usr/bin"
        return directories.split(separator: ":", omittingEmptySubsequences: false)
            .map { "\($0.isEmpty ? "." : $0)/\(word)" }
            .first { access($0, X_OK) == 0 }
    }

    private static func spawn(
        _ words: [String],
        _ actions: inout posix_spawn_file_actions_t,
        _ attributes: inout posix_spawnattr_t
    ) -> (Int32, pid_t) {
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var pid: pid_t = 0
        return (posix_spawnp(&pid, words[0], &actions, &attributes, &arguments, environ), pid)
    }

    /// Waits for all children that have ended, orphans of the program too; how the program itself did, if it has.
    /// `handleStop` receives traced processes that have stopped.
    func reap(_ handleStop: (_ process: Int32, _ waitStatus: Int32) throws -> Void) rethrows -> End? {
        var end: End?
        var status: Int32 = 0
        // Threads are children of their own kind for a tracer (`__WALL` of `<linux/wait.h>`).
        while case let child = waitpid(-1, &status, WNOHANG | 0x4000_0000), child > 0 {
            if status & 0xff == 0x7f {  // WIFSTOPPED
                try handleStop(child, status)
            } else if child == pid {
                end = End(waitStatus: status)
            }
        }
        return end
    }
}

extension ChildCommand.End: CustomStringConvertible {
    /// `exit status 3`, `killed by SIGTERM`
    var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .killed(let signal): "killed by signal \(signal) (\(String(cString: strsignal(signal))))"
        }
    }

    /// Ends this process in the same way.
    func imitate() -> Never {
        switch self {
        case .exited(let status): exit(status)
        case .killed(let signal):
            // One core dump is enough.
            var none = rlimit()
            setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
            LinuxLibC.signal(signal, SIG_DFL)
            var set = sigset_t()
            sigemptyset(&set)
            sigaddset(&set, signal)
            pthread_sigmask(SIG_UNBLOCK, &set, nil)
            raise(signal)
            exit(128 + signal)
        }
    }
}
