internal import SockDiag
internal import SocketLeaks
internal import TCPWatch

/// What `run` is asked for.
struct RunPlan {
    let words: [String]
    /// Whether the watcher's interval was asked for; else the machine's sockets decide.
    var hasInterval = false
    var watch = SocketWatcher.Configuration()
    var rules = LeakRules()
    /// Only steps that touch one of these states are told.
    var states = TCPStateSet.all
    /// Whether each step is told as it happens.
    var tellsSteps = false
    /// After this time COMMAND is asked to end, as by `timeout(1)`.
    var duration: Duration?
    /// After so many transitions too.
    var transitions: Int?
    /// Where COMMAND is `swift test`, what follows its tests. COMMAND then has no standard input, and a signal that ends
    /// it ends all its descendants.
    var tests: TestWatch?
}
