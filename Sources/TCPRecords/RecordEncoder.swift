public import SockDiag
public import TCPWatch

/// Writes records into a buffer of bytes: ``JSONLinesEncoder`` and ``CSVEncoder``.
///
/// Nothing is allocated for a field, and the buffer keeps its memory from one record to the next. Each record is a whole
/// line of UTF-8.
public protocol RecordEncoder: ~Copyable {
    /// The number of bytes that were written and not yet taken.
    var byteCount: Int { get }

    /// What the kernel's numbers are called.
    var names: RecordNames { get set }

    /// Appends a row of a dump, which is read in place; who holds it, where it is and when it was seen are not in the
    /// kernel's message.
    ///
    /// - Returns: Whether it was written; CSV has no columns for a record of another table.
    @discardableResult
    mutating func append(
        _ socket: borrowing some SocketFields & ~Escapable,
        owners: [SocketOwner],
        namespace: NetworkNamespace?,
        time: EventTime?
    ) -> Bool

    /// Appends an event of a watcher.
    ///
    /// - Returns: Whether it was written; CSV has no columns for a record of another table.
    @discardableResult
    mutating func append(_ event: SocketEvent) -> Bool

    /// Appends a record.
    ///
    /// - Returns: Whether it was written: false for one of an unknown type, and CSV has no columns for a record of another
    ///   table.
    @discardableResult
    mutating func append(_ record: Record) -> Bool

    /// Calls `body` with the bytes that were written and not yet taken.
    func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result

    /// Forgets the bytes and keeps their memory.
    mutating func removeAll()
}

extension RecordEncoder where Self: ~Copyable {
    /// Appends a row of a dump, which is read in place.
    ///
    /// - Returns: Whether it was written; CSV has no columns for a record of another table.
    @discardableResult
    public mutating func append(_ socket: borrowing some SocketFields & ~Escapable) -> Bool {
        append(socket, owners: [], namespace: nil, time: nil)
    }

    /// Appends a socket that is watched, with its owners and its namespace.
    ///
    /// - Returns: Whether it was written; CSV has no columns for a record of another table.
    @discardableResult
    public mutating func append(_ socket: WatchedSocket) -> Bool { append(Record(.socket(socket))) }

    /// Returns the bytes, and forgets them.
    public mutating func takeBytes() -> [UInt8] {
        let bytes = withUnsafeBytes { [UInt8]($0) }
        removeAll()
        return bytes
    }
}
