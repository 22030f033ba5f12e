internal import CMnl
internal import LinuxLibC
internal import LinuxSystem
internal import Synchronization

/// A client of the kernel's socket diagnostics: one netlink socket of family `NETLINK_SOCK_DIAG`, its receive buffer,
/// and nothing else; no thread, no global.
///
/// ```swift
/// import SockDiag
///
/// var client = try SockDiagClient()
/// for socket in try client.sockets() { print(socket) }
/// let halfOpen = try client.sockets(in: .synReceived)
/// print(halfOpen.count, TCPState.synReceived.meaning)
/// ```
///
/// It sees the network namespace of the thread that made it, wherever it is used later, and needs no privilege;
/// ``init(in:)`` makes one that sees another.
///
/// A dump is not atomic: the kernel walks its table while connections come and go. A socket may appear in a state that
/// it has left by then, and now and then a socket that was there all the time is missing. Before the end of a
/// connection is concluded from a missing row, ask for it by name: ``socket(_:extensions:)``.
public struct SockDiagClient: ~Copyable {
    let netlink: NetlinkSocket
    private let buffer: UnsafeMutableRawBufferPointer
    private var sequence: UInt32 = 0
    /// The ports that the kernel chooses from; read at once, because `/proc` shows the calling thread's namespace.
    let ephemeralPorts: ClosedRange<UInt16>

    /// The kernel answers with at most 32 KiB at once, whatever is offered (`netlink_dump()`).
    private static let bufferSize = 32 * 1024

    /// The number of times that a dump is begun anew that the kernel marks as inconsistent.
    private static let attempts = 4

    /// Opens a client of the calling thread's network namespace.
    ///
    /// - Throws: ``KernelError``, of code ``KernelError/Code/permissionDenied`` where a sandbox forbids netlink.
    public init() throws(KernelError) { self.init(try NetlinkSocket()) }

    init(_ netlink: consuming NetlinkSocket, ephemeralPorts: ClosedRange<UInt16> = FilterNames.ephemeralPorts()) {
        self.netlink = netlink
        self.ephemeralPorts = ephemeralPorts
        buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// Calls `body` with every socket that answers the query, as the kernel's answer arrives, in the kernel's order:
    /// listeners, bound ones, then the connections. Allocates nothing for a socket.
    ///
    /// A row that the walk repeats is dropped. O(size of the kernel's table); about 1 µs for each socket.
    ///
    /// - Throws: ``KernelError``; what `body` was called with until then is true, but not all. Of code
    ///   ``KernelError/Code/inconsistentDump`` where the kernel says so, after the last socket. What a filter can be
    ///   refused for is said at ``matcher(for:)``; one with ``SocketFilter/externals`` needs
    ///   ``forEach(_:external:_:)``.
    public mutating func forEach(
        _ query: SocketQuery = SocketQuery(),
        _ body: (borrowing SocketRecord) -> Void
    ) throws(KernelError) {
        if let external = query.filter?.externals.first { throw external.unanswered }
        try forEach(query, external: { _, _ in false }, body)
    }

    /// Calls `body` with every socket that answers the query, until it throws. The rest of the kernel's answer is read and
    /// dropped then: it cannot be left half-way.
    ///
    /// - Throws: What `body` throws; and ``KernelError``, as the form does whose body does not throw.
    public mutating func forEach(
        _ query: SocketQuery = SocketQuery(),
        _ body: (borrowing SocketRecord) throws -> Void
    ) throws {
        var failure: (any Error)?
        func take(_ socket: borrowing SocketRecord) {
            guard failure == nil else { return }
            do { try body(socket) } catch { failure = error }
        }
        try forEach(query, take)
        if let failure { throw failure }
    }

    /// Calls `body` with what passes the kernel's part of a filter; the query's own filter is not used.
    mutating func walk(
        _ query: SocketQuery,
        operations: [UInt8] = [],
        _ body: (borrowing SocketRecord) -> Void
    ) throws(KernelError) {
        var dump = SocketDump(query, operations)
        while try advance(&dump, body) {}
    }

    /// Reads the next datagram of a dump, and asks for it before that; whether there is more to read. The query's own filter is
    /// not used. Until the end of one dump the client makes no other request.
    package mutating func advance(
        _ dump: inout SocketDump,
        _ body: (borrowing SocketRecord) -> Void
    ) throws(KernelError) -> Bool {
        if dump.reply == nil {
            guard let form = dump.forms.first else { return false }
            sequence &+= 1
            let request = DumpRequest(dump.query, operations: dump.operations, form: form, sequence: sequence)
            try netlink.send(request.bytes, operation: request.operation)
            dump.reply = Reply(
                type: request.type,
                sequence: sequence,
                operation: request.operation,
                protocol: dump.query.protocol
            )
        }
        guard var reply = dump.reply else { return false }
        do throws(KernelError) {
            let progress = try read(&reply) { if dump.takes($0) { body($0) } }
            dump.reply = reply
            if progress == .more { return true }
        } catch {
            drain(reply.operation)
            if dump.goOn(after: error) { return true }
            throw error
        }
        guard !reply.wasInterrupted else {
            throw KernelError(
                .inconsistentDump,
                operation: reply.operation,
                detail: "the sockets changed meanwhile",
                remedy: KernelError.Code.inconsistentDump.usualRemedy
            )
        }
        return dump.goOn()
    }

    /// The sockets that answer the query.
    ///
    /// - Throws: ``KernelError``; of code ``KernelError/Code/inconsistentDump`` after several attempts.
    public mutating func sockets(_ query: SocketQuery = SocketQuery()) throws(KernelError) -> [InetSocket] {
        for _ in 1..<Self.attempts {
            do { return try collect(query) } catch  where error.code == .inconsistentDump { continue }
        }
        return try collect(query)
    }

    /// The TCP sockets that are in one of the states.
    ///
    /// - Throws: ``KernelError``.
    public mutating func sockets(in states: TCPStateSet) throws(KernelError) -> [InetSocket] {
        try sockets(SocketQuery(states: states))
    }

    /// The sockets that answer the query, of the calling thread's network namespace or another; asked by a thread of its own,
    /// so that no task's thread waits: a million sockets take a second.
    ///
    /// - Throws: ``KernelError``, as ``sockets(_:)`` does.
    public static func sockets(
        _ query: SocketQuery = SocketQuery(),
        in namespace: NetworkNamespace? = nil
    ) async throws(KernelError) -> [InetSocket] {
        // Opened here: what it sees is this thread's namespace.
        let client = try SockDiagClient(in: namespace)
        let shared = Mutex<SockDiagClient?>(client)
        return try await onOwnThread { () throws(KernelError) in
            try shared.withLock { client throws(KernelError) in try client?.sockets(query) ?? [] }
        }
    }

    /// The TCP socket of this identity as it is now, nil where it is gone. O(1), but for one of several listeners on one
    /// port (`SO_REUSEPORT`), of which the kernel finds one alone: O(number of listeners).
    ///
    /// The kernel finds what listens, connects or is connected. A ``TCPState/bound`` or ``TCPState/closed`` socket is in
    /// dumps alone.
    ///
    /// - Throws: ``KernelError``.
    public mutating func socket(
        _ identity: SocketIdentity,
        extensions: SocketExtensions = []
    ) throws(KernelError) -> InetSocket? {
        if let found = try lookUp(identity, extensions) { return found }
        guard identity.remote.port == 0 else { return nil }
        var listeners = SocketQuery(family: identity.family, states: .listen, extensions: extensions)
        listeners.localPort = identity.local.port
        return try sockets(listeners).first { $0.cookie == identity.cookie }
    }

    private mutating func lookUp(
        _ identity: SocketIdentity,
        _ extensions: SocketExtensions
    ) throws(KernelError) -> InetSocket? {
        sequence &+= 1
        let request = DumpRequest(identity, extensions: extensions, sequence: sequence)
        var found: InetSocket?
        do {
            try netlink.send(request.bytes, operation: request.operation)
            var reply = Reply(type: request.type, sequence: sequence, operation: request.operation)
            while reply.count == 0, try read(&reply, { found = InetSocket($0) }) == .more {}
        } catch  where error.errno == ENOENT || error.errno == ESTALE {
            return nil
        }
        // Without a cookie the kernel falls back to the listener, which may be bound to the unspecified address.
        // Whoever has the 4-tuple may be of the other family.
        guard let found, found.local.port == identity.local.port, found.remote.port == identity.remote.port,
            found.remote.address.unmapped == identity.remote.address.unmapped
        else { return nil }
        return identity.cookie == .any || found.cookie == identity.cookie ? found : nil
    }

    /// The name of an interface, nil where there is none of that index now.
    public func name(of interface: NetworkInterface) -> String? {
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard cmnl_interface_name(netlink.descriptor, interface.rawValue, &name) == 0 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private mutating func collect(_ query: SocketQuery) throws(KernelError) -> [InetSocket] {
        var sockets: [InetSocket] = []
        try forEach(query) { sockets.append(InetSocket($0)) }
        return sockets
    }

    private mutating func read(
        _ reply: inout Reply,
        _ body: (borrowing SocketRecord) -> Void
    ) throws(KernelError) -> Reply.Progress {
        guard let count = try netlink.receive(into: buffer, operation: reply.operation) else { return .more }
        let datagram = UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes
        return try reply.read(datagram, body)
    }

    /// Sends the request that `makeRequest` makes of a sequence number, and calls `body` with each message of the answer.
    mutating func exchange(
        _ operation: String,
        remedyForUnsupported: String,
        _ makeRequest: (UInt32) -> [UInt8],
        _ body: (RawSpan) throws(KernelError) -> Void
    ) throws(KernelError) {
        sequence &+= 1
        try netlink.send(makeRequest(sequence), operation: operation)
        var reply = Reply(
            type: UInt16(SOCK_DIAG_BY_FAMILY),
            sequence: sequence,
            operation: operation,
            remedyForUnsupported: remedyForUnsupported
        )
        do throws(KernelError) {
            while true {
                guard let count = try netlink.receive(into: buffer, operation: operation) else { continue }
                let datagram = UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes
                if try reply.readMessages(datagram, body) == .done { return }
            }
        } catch {
            drain(operation)
            throw error
        }
    }

    /// The first sockets of an answer that is not waited for to its end; that spends the client.
    package consuming func sample(_ query: SocketQuery, atLeast count: Int) throws(KernelError) -> [InetSocket] {
        let form = query.family.map { DumpRequest.Form.family($0) } ?? .bothFamilies
        let request = DumpRequest(query, form: form, sequence: 1)
        try netlink.send(request.bytes, operation: request.operation)
        var reply = Reply(type: request.type, sequence: 1, operation: request.operation)
        var sockets: [InetSocket] = []
        while sockets.count < count, try read(&reply, { sockets.append(InetSocket($0)) }) == .more {}
        return sockets
    }

    /// Reads a dump that went wrong to its end; the kernel refuses another one before.
    private func drain(_ operation: String) {
        while (try? netlink.receive(into: buffer, flags: Int32(MSG_DONTWAIT), operation: operation)) != nil {}
    }
}

// Safe: the descriptor and the buffer belong to this value alone, and every use of the buffer is mutating.
extension SockDiagClient: @unchecked Sendable {}
