internal import SocketLeaks

/// What `run` looks for leaks of: COMMAND, with all its processes.
struct RunScope: LeakScope {
    let rules: LeakRules

    var parent: RunScope? { nil }
}

/// The sockets of COMMAND and its descendants, found among all that a watcher reports.
typealias CommandSockets = SocketAccounts<RunScope>

/// What is known of one socket since COMMAND was started.
typealias CommandSocket = SocketAccount<RunScope>
