internal import BPF
internal import Glibc
internal import SockDiag
internal import SocketValues
internal import TCPStateLab
internal import TableWalk
internal import Testing

/// A row as the kernel's message has it.
struct Row: Equatable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let expires: UInt32
    let retransmits: UInt8
    let cookie: SocketCookie
    let testDescription: String

    init(_ socket: borrowing some SocketFields & ~Escapable) {
        let message: [UInt8] = socket.withMessage { message in
            (0..<InetDiagMessage.size).map { message.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
        }
        expires = socket.timer?.milliseconds ?? 0
        retransmits = socket.retransmits
        cookie = socket.cookie
        // What a timer shows changes from one look to the next.
        bytes = message.enumerated().map { index, byte in
            index == InetDiagMessage.retransmits
                || (InetDiagMessage.expires..<(InetDiagMessage.expires + 4)).contains(index)
                ? 0 : byte
        }
        testDescription = "\(InetSocket(socket))"
    }

    static func == (left: Row, right: Row) -> Bool { left.bytes == right.bytes }

    /// The row without the name that nobody may have asked for.
    var withoutCookie: [UInt8] {
        bytes.enumerated().map { index, byte in
            (InetDiagMessage.cookie..<(InetDiagMessage.cookie + 8)).contains(index) ? 0 : byte
        }
    }
}

extension TCPStateSet {
    /// What the table of connections holds.
    static let connected = TCPStateSet.all.subtracting([.listen, .bound, .closed])
}

extension Lab {
    /// A lab and what a test does with it; where the kernel may not be walked, the test is cancelled with the reason.
    static func walking<Result>(_ body: (Lab) throws -> Result) throws -> Result {
        let support = BPFSupport.here()
        if !support.isComplete { try Test.cancel(Comment(rawValue: support.description)) }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        return try body(lab)
    }

    /// Made once: the kernel's types take long to read where nothing is optimized.
    static let programs = Result { () throws(KernelError) in try WalkPrograms() }

    /// What a walk of the namespace's table shows, in its order.
    func walk(_ query: SocketQuery = SocketQuery(), parts: UInt64 = 1) throws -> [Row] {
        try run {
            var walker = try TableWalker(Self.programs.get(), for: .rows)
            let table = try walker.table()
            var rows: [Row] = []
            for part in 0..<parts {
                var walk = TableWalk(table, query, part: part, of: parts)
                while try walker.advance(&walk, { rows.append(Row($0)) }) {}
            }
            return rows
        }
    }

    /// What a walk counts, by state.
    func count(_ query: SocketQuery = SocketQuery()) throws -> [Int] {
        try run {
            var walker = try TableWalker(Self.programs.get(), for: .counts)
            var counts = [Int](repeating: 0, count: 16)
            var walk = TableWalk(try walker.table(), query)
            try walker.count(&walk, into: &counts)
            return counts
        }
    }

    /// What the kernel's dump shows of the same sockets.
    func dump(_ query: SocketQuery = SocketQuery()) throws -> [Row] {
        var query = query
        query.states.formIntersection(.connected)
        return try run {
            var client = try SockDiagClient()
            var rows: [Row] = []
            try client.forEach(query) { rows.append(Row($0)) }
            return rows
        }
    }
}

/// Takes as many descriptors as the process may.
func allowDescriptors() {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
