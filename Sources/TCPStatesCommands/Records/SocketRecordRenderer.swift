internal import SockDiag

/// Sockets as records, in the format of the writer.
struct SocketRecordRenderer<Writer: RecordWriter & ~Copyable>: SocketRenderer, ~Copyable {
    var writer: Writer
    private var description: SocketDescription
    private let makeWriter: () -> Writer

    init(_ makeWriter: @escaping @autoclosure () -> Writer, details: SocketDetails, names: SocketNames) {
        self.makeWriter = makeWriter
        writer = makeWriter()
        description = SocketDescription(details: details, names: names)
    }

    mutating func begin() {
        writer.writeHeader { description.describe(AbsentSocket(), to: &$0) }
    }

    mutating func render(_ socket: borrowing some SocketFields & ~Escapable) {
        description.describe(socket, to: &writer)
    }

    func finish() {}

    var text: TextBuffer {
        _read { yield writer.text }
        _modify { yield &writer.text }
    }

    var names: SocketNames {
        get { description.names }
        _modify { yield &description.names }
    }

    mutating func render(_ row: UnixRow) { description.describe(row, to: &writer) }

    func begin(with sample: [InetSocket]) {}

    func fork() -> SocketRecordRenderer {
        let make = makeWriter
        return SocketRecordRenderer(make(), details: description.details, names: names.fork())
    }
}

/// A socket of which nothing is known: it has every field's name, and asks for none of its values.
struct AbsentSocket: SocketFields {
    /// The size of `struct inet_diag_msg`.
    private let message = InlineArray<72, UInt8>(repeating: 0)

    func withMessage<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(message.span.bytes)
    }
}
