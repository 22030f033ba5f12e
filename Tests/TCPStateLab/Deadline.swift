internal import Glibc

/// A point in time after which waiting is an error.
struct Deadline {
    private let end: ContinuousClock.Instant

    init(_ duration: Duration) { end = .now + duration }

    /// Waits until one of the descriptors is ready; false where none is in time.
    func poll(_ descriptors: [Descriptor?]) throws(LabError) -> Bool {
        // poll(2) skips negative numbers.
        var entries = descriptors.map { pollfd(fd: $0?.rawValue ?? -1, events: Int16(POLLIN), revents: 0) }
        return try systemCall("poll") { Glibc.poll(&entries, nfds_t(entries.count), milliseconds) } > 0
    }

    /// What is left, rounded up, as `poll(2)` wants it.
    var milliseconds: Int32 {
        let left = max(.zero, end - .now) / .milliseconds(1)
        return Int32(min(left.rounded(.up), Double(Int32.max)))
    }
}

extension Duration {
    /// How long the laboratory waits for the kernel before it gives up: never reached where all is well.
    package static var labDeadline: Duration { .seconds(10) }
}
