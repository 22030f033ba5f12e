extension FilterParser {
    /// A word that begins a term.
    private enum Keyword: String, CaseIterable {
        case state, exclude, excl
        case src, dst
        case sport, dport
        case dev, fwmark, cgroup, autobound
        case pid, process, uid, inode, cookie, recvq, sendq, rtt, retrans, netns
    }

    mutating func parseTerm() throws(SocketFilterError) {
        guard let keyword = word.flatMap({ Keyword(rawValue: $0.lowercased()) }) else {
            throw error("expected a term: \(Self.terms)")
        }
        switch keyword {
        case .state, .exclude, .excl: return try parseStates()
        case .autobound:
            append(.named(.autobound))
            return try advance()
        default: break
        }
        try advance()
        let relation = try parseRelation()
        if let quantity = SocketFilter.Quantity(rawValue: keyword.rawValue) {
            return try parseNumber(of: quantity, relation)
        }
        guard relation == .equal || relation == .notEqual else {
            throw error("\(keyword) has no order; compare it with = or !=", at: previous)
        }
        let negated = relation == .notEqual
        switch keyword {
        case .src: try parseHost(.local, negated: negated)
        case .dst: try parseHost(.remote, negated: negated)
        default: append(try parseValue(of: keyword), negated: negated)
        }
    }

    /// The value of a term that is either equal or not.
    private mutating func parseValue(of keyword: Keyword) throws(SocketFilterError) -> SocketFilter.Term {
        switch keyword {
        case .dev:
            return Self.interface(try parseWord("the name of an interface (eth0) or its index"))
        case .fwmark:
            return try parseWord("a mark (7, 0x1) or a mark and a mask (0x1/0xff)") { word in
                let parts = word.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
                guard let mark = Self.mark(parts[0]) else { return nil }
                guard parts.count == 2 else { return .mark(mark, mask: .max) }
                return Self.mark(parts[1]).map { .mark(mark, mask: $0) }
            }
        case .cgroup: return .named(.cgroup(try parseWord("the path of a control group (/system.slice/nginx.service)")))
        case .pid:
            return try parseWord("the number of a process (1234)") { Int32($0).map { .external(.pid($0)) } }
        case .process: return .external(.process(try parseWord("the name of a process (nginx)")))
        case .netns: return .external(.networkNamespace(try parseWord("the name of a network namespace")))
        case .inode: return try parseWord("an inode (123456)") { UInt32($0).map(SocketFilter.Term.inode) }
        default:
            return try parseWord("a cookie in hexadecimal (1a2b)") { SocketCookie($0).map { .cookie($0.rawValue) } }
        }
    }

    /// An interface by its name or its index.
    static func interface(_ name: String) -> SocketFilter.Term {
        UInt32(name).map(SocketFilter.Term.interface) ?? .named(.interface(name))
    }

    /// `state` and `exclude` in a row make one set, read from left to right as by `ss`.
    private mutating func parseStates() throws(SocketFilterError) {
        var set: TCPStateSet?
        while let keyword = word.flatMap({ Keyword(rawValue: $0.lowercased()) }) {
            guard keyword == .state || keyword == .exclude || keyword == .excl else { break }
            try advance()
            let states = try parseWord(Self.stateHint, Self.states)
            set = keyword == .state ? (set ?? []).union(states) : (set ?? .init(rawValue: .max)).subtracting(states)
        }
        append(.states(set ?? []))
    }

    /// States and groups, separated by commas; all are also those that this version does not know.
    private static func states(_ text: String) -> TCPStateSet? {
        text.lowercased() == "all" ? TCPStateSet(rawValue: .max) : TCPStateSet(text)?.paired
    }

    /// `=` and its like; equality where there is none.
    private mutating func parseRelation() throws(SocketFilterError) -> FilterLexer.Relation {
        previous = token.range
        if case .relation(let relation) = token.kind {
            try advance()
            return relation
        }
        guard let relation = word.flatMap({ FilterLexer.relations[$0.lowercased()] }) else { return .equal }
        try advance()
        return relation
    }

    /// A word or a quotation as a value. A word that means something by itself is none: the value was forgotten.
    mutating func parseWord<Value>(
        _ expected: String,
        _ convert: (String) -> Value?
    ) throws(SocketFilterError) -> Value {
        let text: String? =
            switch token.kind {
            case .word(let word): Self.isReserved(word) ? nil : word
            case .quoted(let text): text
            default: nil
            }
        guard let value = text.flatMap(convert) else { throw error("expected \(expected)") }
        try advance()
        return value
    }

    private mutating func parseWord(_ expected: String) throws(SocketFilterError) -> String {
        try parseWord(expected) { $0 }
    }

    /// A number as `ss` reads it but for octal, which a leading 0 would mean there.
    private static func mark(_ text: Substring) -> UInt32? {
        if text.lowercased().hasPrefix("0x") { return UInt32(text.dropFirst(2), radix: 16) }
        return text.count > 1 && text.hasPrefix("0") ? nil : UInt32(text)
    }

    /// Whether a word means something by itself, so that a value needs quotation marks to be it.
    static func isReserved(_ word: String) -> Bool {
        let word = word.lowercased()
        return Keyword(rawValue: word) != nil || FilterLexer.relations[word] != nil
            || ["and", "or", "not"].contains(word)
    }

    private static let terms = Keyword.allCases.filter { $0 != .excl }.map(\.rawValue).joined(separator: ", ")

    private static let stateHint =
        "a state (" + TCPState.allCases.map(\.description).joined(separator: ", ")
        + ") or a group (all, connected, synchronized, bucket, big, fin-wait, closing-states)"
}
