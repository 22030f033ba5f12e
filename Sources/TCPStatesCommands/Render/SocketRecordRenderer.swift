internal import SockDiag

/// Sockets as records, in the format of the writer.
struct SocketRecordRenderer<Writer: RecordWriter & ~Copyable>: SocketRenderer, ~Copyable {
    var writer: Writer
    private var description: SocketDescription

    init(_ writer: consuming Writer, details: SocketDetails, names: SocketNames) {
        self.writer = writer
        description = SocketDescription(details: details, names: names)
    }

    mutating func begin() {
        writer.writeHeader { description.describe(AbsentSocket(), to: &$0) }
    }

    mutating func render(_ socket: borrowing some SocketFields & ~Escapable) {
        description.describe(socket, to: &writer)
    }

    func finish() {}

    mutating func drain(to output: inout Output) { output.drain(&writer.text) }

    mutating func flush(to output: inout Output) { output.flush(&writer.text) }
}

/// A socket of which nothing is known: it has every field's name, and asks for none of its values.
private struct AbsentSocket: SocketFields {
    /// The size of `struct inet_diag_msg`.
    private let message = InlineArray<72, UInt8>(repeating: 0)

    func withMessage<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(message.span.bytes)
    }
}
