internal import ConnectionTracking
internal import SocketValues

/// One entry of the kernel's tables: a half-open request, a full socket, a minisocket.
struct KernelObject {
    enum Kind: UInt8 { case request, socket, minisocket }

    let kind: Kind
    let play: Int
    let slot: Int
    /// The number of its cookie; 0 before anybody asked for it.
    var cookie: UInt32 = 0
    /// Of ``Kernel/lives``; −1 where it is in no life.
    var life = -1
    /// The lives that it had before.
    var formerLives: [Int] = []
    /// Whether its life has ended or goes on in a minisocket: what follows on the same socket is another.
    var isLifeOver = false
    var state = TCPState.closed
    var name: SocketName
    var inode: UInt32 = 0
    var uid: UInt32 = 0
    /// Whether a program has a descriptor of it.
    var isHeld = false
    var isOfKernel = false
    /// Whether `bind()` chose the port, which it then keeps.
    var isPortBound = false
    var isAddressBound = false
    /// Whether it has a port of the kernel's table (`inet_num`), by which it is in dumps while it is CLOSED.
    var hasPort = false
    var isPeerDone = false
    var isFINAcknowledged = false
    var hasConnected = false
    /// Whether `tcp_disconnect()` cleared its counters.
    var isWiped = false
    var isGone = false
    /// When the kernel's timer fires; 0 where none runs.
    var timerEnd: UInt64 = 0
    /// When the last segment was sent or received.
    var lastSegment: UInt64 = 0
    /// A request's: when the SYN came, how often it was answered, and the listener.
    var synTime: UInt64 = 0
    var answers = 0
    var listener = -1
    /// Whether it is a child that waits for `accept()`.
    var isQueued = false
    /// Whether the last dump that should have shown it has missed it.
    var isMissed = false
    /// What lookups and dumps still see until ``changedAt``: the state, BOUND and CLOSED for what is in no hash.
    var oldState = TCPState.closed
    var changedAt: UInt64 = 0

    /// The state that is in the kernel's tables at a moment; nil where it is in none.
    func shownState(at time: UInt64, showsBound: Bool) -> TCPState? {
        guard !isGone else { return nil }
        var shown = state
        if time < changedAt { shown = oldState } else if state == .closed { shown = closedState }
        if shown == .closed, time < changedAt { return nil }
        if shown == .closed || shown == .bound {
            return showsBound && hasPort ? shown : nil
        }
        return shown
    }

    /// BOUND where it has a port and no peer.
    var closedState: TCPState { name.endpoints.remotePort == 0 && hasPort ? .bound : .closed }
}
