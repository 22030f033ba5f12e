internal import SockDiag
internal import SocketOwners
internal import TCPRecords

/// Sockets as records, by an encoder.
struct SocketRecordRenderer<Encoder: BufferedEncoder & ~Copyable>: SocketRenderer, ~Copyable {
    var encoder: Encoder
    var names: SocketNames
    private let makeEncoder: (RecordNames, _ isFirst: Bool) -> Encoder

    /// A renderer.
    ///
    /// - Parameters:
    ///   - names: What is known of the sockets.
    ///   - makeEncoder: Makes an encoder; one that is not the first has no header.
    init(names: SocketNames, _ makeEncoder: @escaping (RecordNames, _ isFirst: Bool) -> Encoder) {
        self.init(names: names, isFirst: true, makeEncoder)
    }

    private init(
        names: SocketNames,
        isFirst: Bool,
        _ makeEncoder: @escaping (RecordNames, _ isFirst: Bool) -> Encoder
    ) {
        (self.names, self.makeEncoder) = (names, makeEncoder)
        encoder = makeEncoder(names.names, isFirst)
    }

    func begin() {}

    mutating func render(_ socket: borrowing some SocketFields & ~Escapable) {
        let owners = names.owners?[socket.inode] ?? []
        encoder.append(socket, owners: owners, namespace: names.namespace, time: nil)
    }

    func finish() {}

    var text: TextBuffer {
        _read { yield encoder.text }
        _modify { yield &encoder.text }
    }

    mutating func render(_ row: UnixRow) {
        let owners = names.owners?[row.socket.inode] ?? []
        let socket = UnixSocketRecord(
            row.socket,
            peerPath: row.peerPath,
            owners: owners,
            namespace: names.namespace
        )
        encoder.append(Record(.unixSocket(socket)))
    }

    var writesCookies: Bool { true }

    func begin(with sample: [InetSocket]) {}

    func fork() -> SocketRecordRenderer {
        SocketRecordRenderer(names: names.fork(), isFirst: false, makeEncoder)
    }
}

/// An encoder whose bytes go to an ``Output`` without a copy.
protocol BufferedEncoder: RecordEncoder, ~Copyable {
    var text: TextBuffer { get set }
}

extension JSONLinesEncoder: BufferedEncoder {}
extension CSVEncoder: BufferedEncoder {}
