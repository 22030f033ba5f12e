/// What kept the kernel's answer from being had: what was tried, why it failed, and what would make it work.
///
/// It is the one error of all that asks the kernel, and of what is read from a file. A remedy speaks of capabilities,
/// kernel settings and files; how a program is given them is for the program to say.
///
/// ```swift
/// do {
///     print(try client.sockets().count)
/// } catch where error.code == .permissionDenied {
///     print(error)  // "cannot open a netlink socket: Operation not permitted; …"
/// }
/// ```
public struct KernelError: Error, Hashable, Sendable {
    /// The kind of failure. New ones may come: compare with those that matter and let a `default` take the rest.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        /// The kernel does not know the family or the protocol: built without it, or its module is not there.
        public static let unsupported = Code(description: "unsupported")
        /// The kernel or a security policy (seccomp, SELinux) refused.
        public static let permissionDenied = Code(description: "permissionDenied")
        /// The kernel reports it only to a process with a capability that this one lacks.
        public static let missingCapability = Code(description: "missingCapability")
        /// The kernel is too old for what was asked.
        public static let kernelTooOld = Code(description: "kernelTooOld")
        /// What was named is not there: an interface, a control group, a network namespace, a process.
        public static let notFound = Code(description: "notFound")
        /// The kernel refused the request as wrong, or it could not be built.
        public static let invalidRequest = Code(description: "invalidRequest")
        /// A reply was cut short or contradicts itself.
        public static let malformedReply = Code(description: "malformedReply")
        /// A file is cut short, damaged, of another kind, or of another version of this program.
        public static let malformedFile = Code(description: "malformedFile")
        /// The kernel marked dump after dump as inconsistent (`NLM_F_DUMP_INTR`).
        public static let inconsistentDump = Code(description: "inconsistentDump")
        /// Any other failure of the operating system; `errno` says which.
        public static let system = Code(description: "system")
    }

    /// The kind of failure.
    public let code: Code
    /// The system's error number; 0 where the system reported none, as for a malformed reply.
    public let errno: Int32
    /// What the number means, in the system's words (`strerror(3)`); empty where there is none.
    public let reason: String
    /// What was being done, to be read after "cannot": `dump the IPv4 TCP sockets`.
    public let operation: String
    /// What is wrong, or what the kernel said in words (extended ACK); empty where it said nothing.
    public let detail: String
    /// What would make it work; empty where that is not known.
    public var remedy: String

    /// A failure that the system has no error number for.
    public init(_ code: Code, operation: String, detail: String = "", remedy: String = "") {
        self.init(code, errno: 0, reason: "", operation: operation, detail: detail, remedy: remedy)
    }

    /// A failure that the system reported.
    public init(
        _ code: Code,
        errno: Int32,
        reason: String,
        operation: String,
        detail: String = "",
        remedy: String = ""
    ) {
        self.code = code
        self.errno = errno
        self.reason = reason
        self.operation = operation
        self.detail = detail
        self.remedy = remedy
    }
}

extension KernelError: CustomStringConvertible {
    /// One line: what could not be done, why, and the remedy where there is one.
    public var description: String {
        var text = "cannot \(operation)"
        if errno != 0 { text += ": \(reason)" }
        if !detail.isEmpty { text += errno == 0 ? ": \(detail)" : " (\(detail))" }
        if !remedy.isEmpty { text += "; \(remedy)" }
        return text
    }
}
