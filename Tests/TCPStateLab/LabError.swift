internal import Glibc

/// Why the laboratory could not do what a test asked of it; its description is one line that names the thing.
package struct LabError: Error, CustomStringConvertible {
    /// The kinds that a test may want to tell apart.
    package enum Kind: Sendable {
        /// The process may not do this here; the description says what would make it work.
        case notPermitted
        /// What was awaited did not come before the deadline.
        case timedOut
        /// A system call failed, with this errno.
        case systemCall(Int32)
        /// The test asked for what cannot be.
        case impossible
    }

    package let kind: Kind
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

/// The result of a system call, or its errno as an error that names the operation; interrupted ones are repeated.
@discardableResult
func systemCall<Result: SignedInteger>(
    _ operation: @autoclosure () -> String,
    _ call: () -> Result
) throws(LabError) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        let code = errno
        if code == EINTR { continue }
        throw LabError(.systemCall(code), "\(operation()): \(text(ofErrno: code))")
    }
}

/// The words for an errno, as in `strerror(3)`.
func text(ofErrno code: Int32) -> String { String(cString: strerror(code)) }

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
