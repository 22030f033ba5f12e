extension SocketFilter: CustomStringConvertible {
    /// The filter as text that reads back as an equal one: `state CLOSE_WAIT and sport = 443 and recvq != 0`.
    public var description: String {
        // Read backwards, the notation names an operator before its operands, the right one first; so the words are
        // collected backwards too.
        var words: [String] = []
        var pending: [Piece] = [.operand(.or)]
        var rest = nodes[...]
        while let piece = pending.popLast() {
            guard case .operand(let loosest) = piece else {
                if case .word(let word) = piece { words.append(word) }
                continue
            }
            switch rest.popLast() {
            case .term(let term): words.append(term.description(negated: false))
            case .not:
                if case .term(let term) = rest.last {
                    rest.removeLast()
                    words.append(term.description(negated: true))
                } else {
                    pending += [.word("not"), .operand(.tight)]
                }
            case .and: pending += Piece.binary("and", left: .and, right: .tight, inParentheses: loosest > .and)
            case .or: pending += Piece.binary("or", left: .or, right: .and, inParentheses: loosest > .or)
            case nil: break
            }
        }
        return words.reversed().joined(separator: " ")
    }

    /// What is still to be written, in the order of the text.
    private enum Piece {
        case word(String)
        /// An expression that needs parentheses if it binds more loosely than this.
        case operand(Binding)

        static func binary(_ word: String, left: Binding, right: Binding, inParentheses: Bool) -> [Piece] {
            let pieces = [Piece.operand(left), .word(word), .operand(right)]
            return inParentheses ? [.word("(")] + pieces + [.word(")")] : pieces
        }
    }

    private enum Binding: Int, Comparable {
        case or, and, tight

        static func < (left: Binding, right: Binding) -> Bool { left.rawValue < right.rawValue }
    }
}

extension SocketFilter.Term {
    /// The term as text, or its negation.
    fileprivate func description(negated: Bool) -> String {
        switch self {
        case .states(let states): (negated ? "not " : "") + states.termDescription
        case .number(let quantity, let comparison, let bound):
            switch (comparison, negated) {
            case (.equal, true): "\(quantity.rawValue) != \(quantity.text(bound))"
            case (_, true): "not \(quantity.rawValue) \(comparison.rawValue) \(quantity.text(bound))"
            case (_, false): "\(quantity.rawValue) \(comparison.rawValue) \(quantity.text(bound))"
            }
        case .named(.autobound): negated ? "not autobound" : "autobound"
        case .host(let endpoint, let network, let port):
            "\(endpoint.rawValue) \(negated ? "!= " : "")\(Self.hostText(network, port))"
        case .named(.interface(let name)): equality("dev", negated, quoted(name))
        case .interface(let index): equality("dev", negated, "\(index)")
        case .mark(let mark, let mask):
            equality("fwmark", negated, mask == .max ? hex(mark) : "\(hex(mark))/\(hex(mask))")
        case .named(.cgroup(let path)): equality("cgroup", negated, quoted(path))
        case .inode(let inode): equality("inode", negated, "\(inode)")
        case .cookie(let cookie): equality("cookie", negated, String(cookie, radix: 16))
        case .external(.pid(let pid)): equality("pid", negated, "\(pid)")
        case .external(.process(let name)): equality("process", negated, quoted(name))
        case .external(.networkNamespace(let name)): equality("netns", negated, quoted(name))
        }
    }

    private func equality(_ name: String, _ negated: Bool, _ value: String) -> String {
        "\(name) \(negated ? "!=" : "=") \(value)"
    }

    private func hex(_ number: UInt32) -> String { "0x" + String(number, radix: 16) }

    private static func hostText(_ network: IPNetwork?, _ port: UInt16?) -> String {
        var text = "*"
        if let network {
            text = "\(network)"
            if network.address.family == .ipv6 {
                let bits = text.split(separator: "/").dropFirst().map { "/\($0)" }
                text = "[\(network.address)]" + bits.joined()
            }
        }
        return port.map { "\(text):\($0)" } ?? text
    }

    /// A name as one word of a filter.
    private func quoted(_ name: String) -> String {
        FilterLexer.isPlainWord(name) ? name : name.debugDescription
    }
}

extension SocketFilter.Quantity {
    /// A bound as text.
    fileprivate func text(_ bound: UInt64) -> String {
        guard self == .rtt else { return "\(bound)" }
        let (divisor, unit) = Self.units.first { bound.isMultiple(of: $0.nanoseconds) } ?? (1, "ns")
        return "\(bound / divisor)\(unit)"
    }

    /// The units of time, the longest first.
    static let units: [(nanoseconds: UInt64, name: String)] = [
        (1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us"), (1, "ns"),
    ]
}

extension TCPStateSet {
    /// As a term: the states, or those that are left out if that leaves in what no version knows yet.
    fileprivate var termDescription: String {
        if rawValue == .max { return "state all" }
        if rawValue == 0 { return "exclude all" }
        let isOpen = rawValue & 1 << 31 != 0
        let listed = isOpen ? TCPStateSet(rawValue: ~rawValue) : self
        let names = (0..<32).map(TCPState.init).filter { listed.contains($0) && $0 != .newSynReceived }
        return (isOpen ? "exclude " : "state ") + names.map(\.description).joined(separator: ",")
    }
}
