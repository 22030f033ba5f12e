public import SockDiag
public import TCPWatch

/// Writes records as JSON Lines: each an object on a line of its own, and what is not known is left out.
///
/// ```swift
/// var encoder = JSONLinesEncoder()
/// for try await event in try SocketWatcher(configuration) {
///     encoder.append(event)
///     try file.write(encoder.takeBytes())
/// }
/// ```
public struct JSONLinesEncoder: RecordEncoder, ~Copyable {
    private var renderer: RecordRenderer<JSONLWriter>

    /// An encoder with an empty buffer.
    ///
    /// - Parameters:
    ///   - details: What is written of a socket beyond what every record has, as far as it is known. The kernel reports some
    ///     without being asked, as the mark and the control group.
    ///   - names: What the kernel's numbers are called; by default as the calling thread's namespaces have it.
    public init(details: SocketDetails = .usual, names: RecordNames = RecordNames()) {
        renderer = RecordRenderer(JSONLWriter(), table: .all, details: details, names: names)
    }

    /// The number of bytes that were written and not yet taken.
    public var byteCount: Int { renderer.writer.text.count }

    /// What the kernel's numbers are called.
    public var names: RecordNames {
        get { renderer.names }
        _modify { yield &renderer.names }
    }

    /// What was written and not yet taken.
    package var text: TextBuffer {
        _read { yield renderer.writer.text }
        _modify { yield &renderer.writer.text }
    }

    /// Appends a row of a dump, which is read in place; who holds it, where it is and when it was seen are not in the
    /// kernel's message.
    ///
    /// - Returns: True.
    @discardableResult
    public mutating func append(
        _ socket: borrowing some SocketFields & ~Escapable,
        owners: [SocketOwner],
        namespace: NetworkNamespace?,
        time: EventTime?
    ) -> Bool {
        let transport = socket.protocol
        socket.withMessage { message in
            let record = SocketRecord(checked: message, protocol: transport)
            renderer.append(record, owners: owners, namespace: namespace, time: time)
        }
        return true
    }

    /// Appends an event of a watcher.
    ///
    /// - Returns: True.
    @discardableResult
    public mutating func append(_ event: SocketEvent) -> Bool { renderer.append(event) }

    /// Appends a record.
    ///
    /// - Returns: Whether it was written: false for one of an unknown type alone.
    @discardableResult
    public mutating func append(_ record: Record) -> Bool { renderer.append(record) }

    /// Calls `body` with the bytes that were written and not yet taken.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try renderer.writer.text.withBytes { (bytes) throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
    }

    /// Forgets the bytes and keeps their memory.
    public mutating func removeAll() { renderer.writer.text.removeAll() }
}
