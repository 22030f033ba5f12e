/// What a message about a socket may have lost, of what filters read.
package struct LostFields: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let localAddress = LostFields(rawValue: 1 << 0)
    package static let localPort = LostFields(rawValue: 1 << 1)
    package static let remotePort = LostFields(rawValue: 1 << 2)
    package static let uid = LostFields(rawValue: 1 << 3)
    package static let inode = LostFields(rawValue: 1 << 4)
    /// What `tcp_info` has.
    package static let measurements = LostFields(rawValue: 1 << 5)
}

extension SocketMatcher {
    /// What the filter says of a socket of which some fields are lost.
    ///
    /// - Parameters:
    ///   - socket: The socket.
    ///   - state: Its state, which an end leaves no trace of.
    ///   - lost: What its record has lost: no term that reads it is answered.
    ///   - external: Whether a condition holds that the record has nothing for; nil where that is not known.
    /// - Returns: Whether it finds the socket, whatever is lost; or what that depends on.
    package func verdict(
        on socket: borrowing some SocketFields & ~Escapable,
        in state: TCPState,
        without lost: LostFields,
        external: (SocketFilter.External) -> Bool?
    ) -> FilterVerdict {
        let transport = socket.protocol
        return socket.withMessage { message in
            let record = SocketRecord(checked: message, protocol: transport)
            // Jumps go forward: what can be reached is known when its turn comes.
            var isReached = [Bool](repeating: false, count: program.steps.count + 2)
            isReached[0] = true
            var unanswered: [Int] = []
            for (index, step) in program.steps.enumerated() where isReached[index] {
                let holds =
                    if case .external(let number) = step.test { external(program.externals[number]) } else {
                        step.test.holds(for: record, in: state, without: lost)
                    }
                if holds != false { isReached[step.yes] = true }
                if holds != true { isReached[step.no] = true }
                if holds == nil { unanswered.append(index) }
            }
            guard isReached[program.accept] else { return .passesOver }
            guard isReached[program.reject] else { return .finds }
            let terms = terms
            return .undecided(unanswered.map { terms[$0] })
        }
    }
}

extension FilterTest {
    /// Whether the test holds for a socket; nil where that depends on what is lost.
    fileprivate func holds(for socket: borrowing SocketRecord, in state: TCPState, without lost: LostFields) -> Bool? {
        if let constant { return constant }
        switch self {
        case .host(let which, let network, let port):
            let isPortLost = lost.contains(which == .local ? .localPort : .remotePort)
            let isAddressLost = which == .local && lost.contains(.localAddress)
            let known = FilterTest.host(which, isAddressLost ? nil : network, port: isPortLost ? nil : port)
            guard known.holds(for: socket) else { return false }
            return isPortLost && port != nil || isAddressLost && network != nil ? nil : true
        case .number(let quantity, _, _): return lost.isDisjoint(with: quantity.fields) ? holds(for: socket) : nil
        case .states(let mask): return TCPStateSet(rawValue: mask).contains(state)
        case .inode: return lost.contains(.inode) ? nil : holds(for: socket)
        case .interface, .mark, .cgroup, .cookie, .external: return holds(for: socket)
        }
    }
}

extension SocketFilter.Quantity {
    /// What it is read from.
    fileprivate var fields: LostFields {
        switch self {
        case .localPort: .localPort
        case .remotePort: .remotePort
        case .uid: .uid
        case .receiveQueue, .sendQueue: []
        case .rtt, .retransmits: .measurements
        }
    }
}
