internal import SockDiag
internal import SocketLeaks
internal import TCPWatch

/// The schedule by which COMMAND's processes are asked what they hold: a hundred times a second, or as often as a
/// quarter of a processor allows.
///
/// The watcher reports each transition, but where the machine is busy it does so late: when a process has ended, nobody
/// knows any more what was its.
struct HolderPolls {
    /// The time at which the last poll began, monotonic nanoseconds.
    private var last = EventTime.now().monotonicNanoseconds
    /// The earliest and the latest time at which each socket was opened; only where that is asked for. A socket that is
    /// connected again has been opened once.
    private var opened: [SocketCookie: ClosedRange<UInt64>] = [:]
    /// The time at which the next one is due.
    private(set) var next = ContinuousClock.now

    /// Returns the earliest and the latest time at which a socket was opened that is seen now.
    func opening(of cookie: SocketCookie) -> ClosedRange<UInt64> {
        opened[cookie] ?? last...max(last, EventTime.now().monotonicNanoseconds)
    }

    /// Returns what the processes hold.
    mutating func poll(
        _ processes: Set<ProcessIdentity>,
        _ search: LeakSearch,
        remembers: Bool
    ) throws(KernelError) -> [HeldSocket] {
        let (begin, clock) = (EventTime.now().monotonicNanoseconds, ContinuousClock.now)
        let held = try search.heldSockets(by: processes)
        for cookie in held.map(\.socket.cookie) where remembers && opened[cookie] == nil {
            opened[cookie] = opening(of: cookie)
        }
        last = begin
        next = clock + max(.milliseconds(10), (.now - clock) * 4)
        return held
    }
}
