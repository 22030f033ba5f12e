internal import CMnl
internal import LinuxLibC
package import SocketValues

/// One descriptor that stands for several and for a time: readable while one of them is, and from the time on.
///
/// C: `epoll(7)`, `timerfd_create(2)`.
package struct WaitSet: ~Copyable {
    /// What to wait for.
    package let descriptor: Int32
    private let timer: Int32
    private var members: [Int32] = []

    /// Waits for nothing.
    ///
    /// - Throws: ``/SocketValues/KernelError`` where there is no descriptor left.
    package init() throws(KernelError) {
        let (poller, alarm) = (cmnl_poller(), cmnl_timer(O_CLOEXEC | O_NONBLOCK))
        let isWhole = poller >= 0 && alarm >= 0 && cmnl_poller_change(poller, alarm, 1) == 0
        let code = errno
        (descriptor, timer) = (poller, alarm)
        guard isWhole else { throw KernelError(.system, errno: code, operation: "open an epoll instance") }
    }

    deinit {
        if timer >= 0 { close(timer) }
        if descriptor >= 0 { close(descriptor) }
    }

    /// Waits for these from now on, and for a moment of `CLOCK_MONOTONIC`, nanoseconds; for none where that is nil.
    package mutating func wait(for descriptors: [Int32], until deadline: UInt64?) {
        for member in members where !descriptors.contains(member) { _ = cmnl_poller_change(descriptor, member, 0) }
        // One that was closed is gone by itself, and its number may be another's by now: to add what is there is no harm.
        for member in descriptors { _ = cmnl_poller_change(descriptor, member, 1) }
        members = descriptors
        let moment = deadline.map { max($0, 1) } ?? 0
        _ = cmnl_timer_set(timer, Int64(moment / 1_000_000_000), Int64(moment % 1_000_000_000))
    }
}
