internal import SockDiag
internal import SocketOwners
internal import TCPWatch

/// When COMMAND's processes are asked what they hold: a hundred times a second, or as often as a quarter of a processor
/// allows.
///
/// The watcher tells each step, but where the machine is busy it tells late: when a process has ended, nobody can tell any
/// more what was its.
struct Looks {
    /// When the last look began, monotonic nanoseconds.
    private var last = EventTime.now().monotonicNanoseconds
    /// When each socket was opened, at the earliest and at the latest; only where that is asked for.
    private var opened: [SocketCookie: ClosedRange<UInt64>] = [:]
    /// When the next one is due.
    private(set) var next = ContinuousClock.now

    /// When a socket was opened that is seen now.
    func opening(of cookie: SocketCookie) -> ClosedRange<UInt64> {
        opened[cookie] ?? last...max(last, EventTime.now().monotonicNanoseconds)
    }

    /// What the processes hold.
    mutating func look(
        at processes: Set<Int32>,
        _ search: LeakSearches,
        remembers: Bool
    ) throws(SockDiagError) -> [WatchedSocket] {
        let (begin, clock) = (EventTime.now().monotonicNanoseconds, ContinuousClock.now)
        let held = processes.isEmpty ? [] : try search.heldSockets(by: ProcessSelection(pids: processes))
        for socket in held where remembers && opened[socket.cookie] == nil {
            opened[socket.cookie] = opening(of: socket.cookie)
        }
        last = begin
        next = clock + max(.milliseconds(10), (.now - clock) * 4)
        return held
    }
}
