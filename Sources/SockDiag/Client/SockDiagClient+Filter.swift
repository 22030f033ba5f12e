internal import LinuxLibC
internal import LinuxSystem

extension SockDiagClient {
    /// Calls `body` with every socket that answers the query, where its filter has conditions that the kernel's answer
    /// says nothing about: `external` says whether one of them holds for a socket.
    ///
    /// ```swift
    /// func holds(_ condition: SocketFilter.External, _ socket: borrowing SocketRecord) -> Bool {
    ///     condition == .process("nginx") && socket.uid == 33
    /// }
    /// let query = SocketQuery(filter: .process("nginx") && .state(.closeWait))
    /// try client.forEach(query, external: holds) { print($0.local, $0.remote) }
    /// ```
    ///
    /// - Throws: ``KernelError``, as the form without `external` does.
    public mutating func forEach(
        _ query: SocketQuery,
        external: (SocketFilter.External, borrowing SocketRecord) -> Bool,
        _ body: (borrowing SocketRecord) -> Void
    ) throws(KernelError) {
        guard let filter = query.filter else { return try walk(query, body) }
        try filter.requireApplicable(to: query.protocol)
        let matcher = try matcher(for: filter)
        guard let narrowed = matcher.narrow(query), let operations = matcher.operations else { return }
        func check(_ socket: borrowing SocketRecord) {
            if matcher.program.finds(socket, external: { external($0, socket) }) { body(socket) }
        }
        do {
            try walk(narrowed, operations: operations, check)
        } catch  where error.code == .invalidRequest && !operations.isEmpty {
            // A kernel or an emulation of one that lacks an operation. It spares work only: check() tests everything.
            try walk(narrowed, check)
        }
    }

    /// Makes a filter ready for sockets of this client's network namespace.
    ///
    /// - Throws: ``KernelError``: of code ``KernelError/Code/notFound`` where there is no such interface or control
    ///   group, ``KernelError/Code/missingCapability`` where the filter asks for marks without CAP_NET_ADMIN,
    ///   ``KernelError/Code/kernelTooOld`` where the kernel reports no marks (before 4.9) or groups (before 5.9).
    public mutating func matcher(for filter: SocketFilter) throws(KernelError) -> SocketMatcher {
        if filter.readsMarks { try probe(.mark(0), "fwmark", since: "4.9") }
        let matcher = try SocketMatcher(filter, names)
        if let term = filter.terms.first(where: \.readsCgroup) { try probe(SocketFilter(term), "cgroup", since: "5.9") }
        return matcher
    }

    private var names: FilterNames { FilterNames(netlinkSocket: netlink.descriptor, ephemeralPorts: ephemeralPorts) }

    /// Asks the kernel to test for something, but no socket: what it cannot test it does not report either.
    private mutating func probe(
        _ filter: SocketFilter,
        _ name: String,
        since release: String
    ) throws(KernelError) {
        let operations = try SocketMatcher(filter, names).operations ?? []
        do {
            try walk(SocketQuery(family: .ipv4, states: []), operations: operations) { _ in }
        } catch {
            let (code, detail): (KernelError.Code, String) =
                switch error.errno {
                case EPERM: (.missingCapability, error.detail)
                case EINVAL: (.kernelTooOld, "it takes Linux \(release)")
                default: (error.code, error.detail)
                }
            throw KernelError(
                code,
                errno: error.errno,
                operation: "filter by \(name)",
                detail: detail,
                remedy: code.usualRemedy
            )
        }
    }

    /// The interface of a name, nil where there is none now.
    public func interface(named name: String) -> NetworkInterface? {
        names.interface(named: name)
    }
}

extension SocketFilter {
    /// Whether it asks for marks, which takes CAP_NET_ADMIN in every dump.
    package var readsMarks: Bool { terms.contains(where: \.readsMark) }
}

extension SocketFilter.Term {
    var readsMark: Bool { if case .mark = self { true } else { false } }
    var readsCgroup: Bool { if case .named(.cgroup) = self { true } else { false } }
}

extension SocketFilter.External {
    /// The error of a filter with a condition that nobody answers.
    var unanswered: KernelError {
        let name =
            switch self {
            case .pid: "pid"
            case .process: "process"
            case .networkNamespace: "netns"
            }
        return KernelError(
            .invalidRequest,
            operation: "filter by \(name)",
            detail: "the kernel does not report it with a socket; answer it in forEach(_:external:_:)"
        )
    }
}
