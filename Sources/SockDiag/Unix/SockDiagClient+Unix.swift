extension SockDiagClient {
    /// The UNIX sockets of the client's network namespace that answer the query.
    ///
    /// - Throws: ``KernelError``, as ``forEachUnixSocket(_:external:_:)``.
    public mutating func unixSockets(_ query: UnixSocketQuery = UnixSocketQuery()) throws(KernelError) -> [UnixSocket] {
        var sockets: [UnixSocket] = []
        try forEachUnixSocket(query) { sockets.append($0) }
        return sockets
    }

    /// Calls `body` with every UNIX socket that answers the query, as the kernel's answer arrives and in its order, which
    /// means nothing. A row that the kernel repeats is dropped.
    ///
    /// - Throws: ``KernelError``, as ``forEachUnixSocket(_:external:_:)``.
    public mutating func forEachUnixSocket(_ query: UnixSocketQuery, _ body: (UnixSocket) -> Void) throws(KernelError) {
        if let external = query.filter?.externals.first { throw external.unanswered }
        try forEachUnixSocket(query, external: { _, _ in false }, body)
    }

    /// The same where the query's filter has conditions that the kernel's answer says nothing about: `external` says
    /// whether one of them holds for a socket.
    ///
    /// - Throws: ``KernelError``: of code ``KernelError/Code/unsupported`` where the kernel was built without `unix_diag`,
    ///   ``KernelError/Code/invalidRequest`` where the filter asks for what UNIX sockets do not have. What `body` was called
    ///   with until then is true, but not all.
    public mutating func forEachUnixSocket(
        _ query: UnixSocketQuery,
        external: (SocketFilter.External, UnixSocket) -> Bool,
        _ body: (UnixSocket) -> Void
    ) throws(KernelError) {
        var query = query
        var matcher: SocketMatcher?
        if let filter = query.filter {
            try filter.requireApplicable(to: nil)
            let ready = try self.matcher(for: filter)
            query.states.formIntersection(TCPStateSet(rawValue: ready.reach.states))
            query.extensions.formUnion([.queues, .owner])
            if query.states.isEmpty { return }
            matcher = ready
        }
        let asked = query
        var recent = RecentRows()
        try exchange(
            "dump the UNIX sockets",
            remedyForUnsupported: "the kernel needs CONFIG_UNIX_DIAG (module unix_diag)",
            { UnixDumpRequest.bytes(asked, sequence: $0) }
        ) { message throws(KernelError) in
            let socket = try UnixSocket(message: message)
            guard socket.cookie.rawValue == 0 || recent.insert(socket.cookie.rawValue) else { return }
            guard matcher?.matches(socket, external: { external($0, socket) }) != false else { return }
            body(socket)
        }
    }
}

extension SocketMatcher {
    /// Whether the filter finds the UNIX socket. A term on what UNIX sockets do not have holds for none.
    ///
    /// `external` says whether a condition holds that the kernel's answer has nothing for.
    public func matches(
        _ socket: UnixSocket,
        external: (SocketFilter.External) -> Bool = { _ in false }
    ) -> Bool {
        // What a filter reads of it, where an inet_diag message has that.
        var message = InlineArray<72, UInt8>(repeating: 0)
        withUnsafeMutableBytes(of: &message) { bytes in
            func store(_ number: UInt32, _ offset: Int) {
                bytes.storeBytes(of: number, toByteOffset: offset, as: UInt32.self)
            }
            bytes[InetDiagMessage.state] = socket.state.rawValue
            store(UInt32(truncatingIfNeeded: socket.cookie.rawValue), InetDiagMessage.cookie)
            store(UInt32(truncatingIfNeeded: socket.cookie.rawValue >> 32), InetDiagMessage.cookie + 4)
            store(socket.receiveQueue ?? 0, InetDiagMessage.receiveQueue)
            store(socket.sendQueue ?? 0, InetDiagMessage.sendQueue)
            // An owner that is not known is none that anybody asks for: 0 would be root.
            store(socket.uid ?? .max, InetDiagMessage.uid)
            store(socket.inode ?? 0, InetDiagMessage.inode)
        }
        return program.finds(SocketRecord(checked: message.span.bytes, protocol: .raw), external: external)
    }
}
