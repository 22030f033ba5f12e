public import SockDiag
public import TCPWatch

/// Writes records of one table as comma-separated values (RFC 4180, lines end in LF): the names of the fields are in a
/// header line, a field of an object is `timer.kind`, and what is not known is empty.
///
/// The columns depend on the table and the details alone, never on the records.
public struct CSVEncoder: RecordEncoder, ~Copyable {
    /// Records that have their columns in common.
    public struct Table: Hashable, Sendable {
        fileprivate enum Kind: Hashable, Sendable {
            case sockets
            case events(withSockets: Bool)
            case run
            case summary([SummaryRecord.Key])
            case findings
        }

        fileprivate var kind: Kind

        /// `socket` records, with all details, as of a dump.
        public static let sockets = Table(kind: .sockets)
        /// `transition`, `gap` and `ready` records, as of a watcher.
        public static let events = Table(kind: .events(withSockets: false))
        /// Those, and `socket` records without details.
        public static let eventsAndSockets = Table(kind: .events(withSockets: true))
        /// Those, and the records of a command's sockets: `connection`, `leak`, `summary` and `run`.
        public static let run = Table(kind: .run)
        /// `finding` records.
        public static let findings = Table(kind: .findings)

        /// `summary` records of sockets that were counted by the same keys.
        public static func summary(by keys: [SummaryRecord.Key]) -> Table { Table(kind: .summary(keys)) }
    }

    private var renderer: RecordRenderer<CSVWriter>
    private let table: Table

    /// An encoder of a table, with a header line in its buffer.
    ///
    /// - Parameters:
    ///   - table: Which records there will be.
    ///   - details: What is written of a socket beyond what every record has: each has its columns.
    ///   - names: What the kernel's numbers are called. Names of hosts have columns where there are any.
    ///   - writesHeader: Whether there is a header line.
    public init(
        _ table: Table,
        details: SocketDetails = [.processes, .namespace],
        names: RecordNames = RecordNames(),
        writesHeader: Bool = true
    ) {
        let columns: RecordRenderer<CSVWriter>.Table =
            switch table.kind {
            case .sockets: .sockets
            case .events(let withSockets): .events(withSockets: withSockets)
            case .run: .run
            case .summary(let keys): .summary(keys)
            case .findings: .findings
            }
        self.table = table
        renderer = RecordRenderer(CSVWriter(), table: columns, details: details, names: names)
        if writesHeader { renderer.appendHeader() }
    }

    /// The number of bytes that were written and not yet taken.
    public var byteCount: Int { renderer.writer.text.count }

    /// What the kernel's numbers are called. Whether there are names of hosts may not change.
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
    /// - Returns: Whether the table has columns for it.
    @discardableResult
    public mutating func append(
        _ socket: borrowing some SocketFields & ~Escapable,
        owners: [SocketOwner],
        namespace: NetworkNamespace?,
        time: EventTime?
    ) -> Bool {
        guard table == .sockets else {
            let socket = WatchedSocket(socket: InetSocket(socket), namespace: namespace, owners: owners, time: time)
            return append(Record(.socket(socket)))
        }
        let transport = socket.protocol
        socket.withMessage { message in
            let record = SocketRecord(checked: message, protocol: transport)
            renderer.append(record, owners: owners, namespace: namespace, time: time)
        }
        return true
    }

    /// Appends an event of a watcher.
    ///
    /// - Returns: Whether the table has columns for it.
    @discardableResult
    public mutating func append(_ event: SocketEvent) -> Bool { renderer.append(event) }

    /// Appends a record.
    ///
    /// - Returns: Whether the table has columns for it.
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
