internal import LinuxLibC
internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// A client and a server on loopback, whose connection is opened, and closed by the client first, under a watcher.
///
/// The sockets are closed with the object, and leave nothing behind but a TIME_WAIT where they came so far.
final class LiveConnection {
    private let inbox: Inbox
    private let watcher: SocketWatcher
    private let listener, client: Int32
    private var server: Int32 = -1
    private var address: sockaddr_in
    /// The state that each socket was seen in last: the listener, the client, and the server's end of the connection.
    private var seen: [Role: TCPState] = [:]
    private var isReady = false
    private var isOver = false

    private enum Role { case listener, client, server }

    /// The time within which an expected state is seen, or there is something wrong.
    private static let timeout: UInt64 = 5_000_000_000

    /// Begins to watch; there are no sockets to be seen yet.
    init() throws {
        var configuration = SocketWatcher.Configuration()
        configuration.source = .auto
        configuration.interval = .milliseconds(20)
        configuration.family = .ipv4
        inbox = try Inbox()
        let type = SocketType.stream | SocketType.closeOnExec
        let listener = socket(AF_INET, type, 0)
        (self.listener, client) = (listener, socket(AF_INET, type, 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        // Its port is known first, so that the watcher is asked for nothing else.
        try Self.check("bind to 127.0.0.1", withAddress(&address) { bind(listener, $0, $1) })
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try Self.check("learn the port", withAddress(&address) { address, _ in getsockname(listener, address, &size) })
        self.address = address
        let port = UInt16(bigEndian: address.sin_port)
        configuration.filter = .localPort == port || .remotePort == port
        watcher = try SocketWatcher(configuration)
        watcher.receive(inbox.put)
    }

    deinit {
        watcher.stop()
        // A connection that is still open ends by a RST.
        var now = linger(l_onoff: 1, l_linger: 0)
        for descriptor in [client, server, listener] where descriptor >= 0 {
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
            LinuxLibC.close(descriptor)
        }
    }

    /// Opens it.
    func open(_ table: inout EventTable, to output: inout Output) throws {
        try expect("the watcher begins", [:], &table, &output)
        try Self.check("listen", LinuxLibC.listen(listener, 1))
        try report("the server calls listen()", [.listener: .listen], &table, &output)
        try Self.check("connect to 127.0.0.1", withAddress(&address) { connect(client, $0, $1) })
        server = accept(listener, nil, nil)
        try Self.check("accept", server)
        try report("the client calls connect()", [.client: .established, .server: .established], &table, &output)
    }

    /// Closes it.
    func close(_ table: inout EventTable, to output: inout Output) throws {
        try Self.check("shut down", shutdown(client, Int32(SHUT_WR)))
        try report("the client closes", [.client: .finWait2, .server: .closeWait], &table, &output)
        LinuxLibC.close(server)
        server = -1
        try report("the server closes", [.client: .timeWait, .server: .closed], &table, &output)
    }

    /// Writes what was done, then what the watcher reports of it.
    private func report(
        _ call: String,
        _ expected: [Role: TCPState],
        _ table: inout EventTable,
        _ output: inout Output
    ) throws {
        var line = TextBuffer()
        line.append("  \(call)\n")
        output.flush(&line)
        try expect("the watcher sees that \(call)", expected, &table, &output)
    }

    /// Writes what the watcher reports until the sockets are in the expected states.
    private func expect(
        _ awaited: String,
        _ expected: [Role: TCPState],
        _ table: inout EventTable,
        _ output: inout Output
    ) throws {
        let deadline = EventTime.now().monotonicNanoseconds + Self.timeout
        while !isReady || !expected.allSatisfy({ seen[$0] == $1 }) {
            guard !isOver, EventTime.now().monotonicNanoseconds < deadline,
                inbox.wait(until: deadline, beside: output.descriptor)
            else { throw watcher.failure ?? CommandFailure("it did not come to it that \(awaited)") as any Error }
            guard let events = inbox.take() else { continue }
            isOver = events.isEmpty
            table.prepare(events)
            for event in events { note(event, &table) }
            table.flush(to: &output)
            if !isOver { watcher.receive(inbox.put) }
        }
    }

    private func note(_ event: SocketEvent, _ table: inout EventTable) {
        if case .ready = event { isReady = true }
        guard case .transition(let transition) = event else { return }
        let isClient = transition.identity.remote.port == UInt16(bigEndian: address.sin_port)
        let role = isClient ? Role.client : transition.identity.remote.port == 0 ? .listener : .server
        seen[role] = transition.to
        table.render(event)
    }

    private static func check(_ operation: String, _ result: Int32) throws(CommandFailure) {
        guard result < 0 else { return }
        let isDown = errno == ENETUNREACH
        let failure = CommandFailure("cannot \(operation)", errno: errno)
        throw isDown ? CommandFailure("\(failure); the loopback device is down: ip link set lo up") : failure
    }
}

private func withAddress<Result>(
    _ address: inout sockaddr_in,
    _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
