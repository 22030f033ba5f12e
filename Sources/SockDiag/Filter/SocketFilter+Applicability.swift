extension SocketFilter {
    /// The states in which it may find a socket.
    package var states: TCPStateSet { TCPStateSet(rawValue: FilterReach(self).states) }

    /// The first term that asks for what sockets of a protocol do not have, as a filter of its own; of UNIX sockets where
    /// the protocol is nil. Nil where all can be answered.
    package func firstTerm(unknownTo transport: SocketProtocol?) -> SocketFilter? {
        terms.first { !$0.applies(to: transport) }.map(SocketFilter.init)
    }

    /// Whether it says which states a socket may be in.
    package var namesStates: Bool {
        terms.contains { if case .states(let states) = $0 { states.rawValue != .max } else { false } }
    }

    /// Whether it asks for what is in an attribute, and not in the fixed part of the kernel's message.
    package var readsAttributes: Bool { terms.contains { $0.readsInfo || $0.readsMark || $0.readsCgroup } }

    /// Whether it asks for the name that the kernel gives a socket when somebody asks for it.
    package var readsCookie: Bool { terms.contains { if case .cookie = $0 { true } else { false } } }

    /// - Throws: ``KernelError`` of code ``KernelError/Code/invalidRequest`` where a term asks for what sockets of the
    ///   protocol, or UNIX sockets, do not have.
    func requireApplicable(to transport: SocketProtocol?) throws(KernelError) {
        guard let term = firstTerm(unknownTo: transport) else { return }
        let family = transport?.description ?? "UNIX"
        throw KernelError(
            .invalidRequest,
            operation: "filter \(family) sockets by '\(term)'",
            detail: "they have no such thing"
        )
    }
}

extension SocketFilter.Term {
    fileprivate func applies(to transport: SocketProtocol?) -> Bool {
        guard let transport else { return appliesToUnixSockets }
        return transport == .tcp || !readsInfo
    }

    private var appliesToUnixSockets: Bool {
        switch self {
        case .states, .inode, .cookie, .external, .number(.uid, _, _), .number(.receiveQueue, _, _),
            .number(.sendQueue, _, _):
            true
        default: false
        }
    }
}
