internal import LinuxLibC

/// Wakes a thread that waits by `poll(2)`: a pipe that is rung at one end. It may be rung in a signal handler.
final class Bell: Sendable {
    /// Readable once it was rung.
    let descriptor: Int32
    let ringer: Int32

    init() throws(CommandFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw CommandFailure("cannot make a pipe", errno: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (descriptor, ringer) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(ringer)
    }

    /// Rings it. Where the pipe is full, it has been rung often enough.
    func ring() { Self.ring(ringer) }

    /// Rings a bell by its ringer.
    static func ring(_ ringer: Int32) {
        var byte: UInt8 = 0
        _ = write(ringer, &byte, 1)
    }

    /// Makes it silent again.
    func clear() {
        var bytes = InlineArray<64, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        while span.withUnsafeMutableBytes({ read(descriptor, $0.baseAddress, $0.count) }) > 0 {}
    }
}
