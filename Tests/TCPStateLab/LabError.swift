internal import Glibc

/// Why the laboratory could not do what a test asked of it; its description is one line that names the thing.
package struct LabError: Error, CustomStringConvertible {
    /// The kinds that a test may want to distinguish.
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
