internal import Synchronization

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
