internal import LinuxLibC
internal import Synchronization
internal import TCPRecords

/// The destination of a command's text: standard output or a file, closed with the value that owns it.
///
/// The first failure is kept and ends all writing: a dump cannot be left half way, but need not be waited for.
struct Output: ~Copyable {
    /// The file descriptor.
    private(set) var descriptor: Int32
    /// For errors: what could not be written.
    private let name: String
    private var failure: CommandFailure?

    /// Text is written when so much has gathered: one call for about a thousand rows.
    static let chunk = 64 * 1024

    /// Standard output.
    init() throws(CommandFailure) { try self.init("standard output", STDOUT_FILENO) }

    /// Standard error, for the report of a command whose standard output is another program's.
    static func standardError() throws(CommandFailure) -> Output { try Output("standard error", STDERR_FILENO) }

    private init(_ name: String, _ descriptor: Int32) throws(CommandFailure) {
        self.name = name
        self.descriptor = descriptor
        // Closed, its number would go to the next descriptor that is opened.
        guard fcntl(descriptor, F_GETFD) >= 0 else { throw CommandFailure("cannot write to \(name)", errno: errno) }
    }

    /// A file, made or emptied.
    init(path: String) throws(CommandFailure) {
        name = path
        var descriptor: Int32
        repeat {
            descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        } while descriptor < 0
            && errno == EINTR
        guard descriptor >= 0 else { throw CommandFailure("cannot open \(path) for writing", errno: errno) }
        self.descriptor = descriptor
    }

    deinit { if isFile { LinuxLibC.close(descriptor) } }

    private var isFile: Bool { descriptor > STDERR_FILENO }

    /// Whether text still reaches its end.
    var isOpen: Bool { failure == nil }

    /// Writes the text out where enough of it has gathered.
    mutating func drain(_ text: inout TextBuffer) {
        if text.count >= Self.chunk { flush(&text) }
    }

    /// Writes the text out.
    mutating func flush(_ text: inout TextBuffer) {
        text.withBytes { bytes in
            var rest = bytes[...]
            while failure == nil, !rest.isEmpty {
                let count = write(descriptor, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    failure = CommandFailure("cannot write to \(name)", errno: errno)
                }
            }
        }
        text.removeAll()
    }

    /// Closes a file, and reports what went wrong until then: some file systems say only now that they are full.
    mutating func close() throws(CommandFailure) {
        if isFile, LinuxLibC.close(descriptor) != 0, failure == nil {
            failure = CommandFailure("cannot write to \(name)", errno: errno)
        }
        descriptor = STDOUT_FILENO
        if let failure { throw failure }
    }
}

/// An output that several threads write to, each whole records at a time.
final class SharedOutput: Sendable {
    private let output: Mutex<Output>

    init(_ output: consuming Output) { self.output = Mutex(output) }

    /// Writes the text out where enough of it has gathered.
    func drain(_ text: inout TextBuffer) {
        if text.count >= Output.chunk { flush(&text) }
    }

    /// Writes the text out.
    func flush(_ text: inout TextBuffer) {
        output.withLock { $0.flush(&text) }
    }

    /// Closes it, and reports what went wrong until then.
    func close() throws(CommandFailure) {
        try output.withLock { output throws(CommandFailure) in try output.close() }
    }
}
