internal import LinuxLibC

/// What kept a command from its end, in one line: what could not be done, and why.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    /// What the process exits with.
    var status = EXIT_FAILURE

    init(_ description: String) { self.description = description }

    /// A failed system call, with the errno in words.
    init(_ operation: String, errno: Int32) { description = "\(operation): \(String(cString: strerror(errno)))" }
}
