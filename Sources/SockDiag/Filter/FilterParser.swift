/// Reads a filter's text: operators by precedence, with a stack of its own, so that no nesting is too deep.
struct FilterParser {
    private var lexer: FilterLexer
    /// The token that is read next.
    private(set) var token: FilterLexer.Token
    /// Where the relation is that was read last.
    var previous: Range<String.Index>
    private var nodes: [SocketFilter.Node] = []
    private var operators: [(kind: Operator, range: Range<String.Index>)] = []
    /// Whether the names of hosts are resolved, which may ask the network.
    let resolvesHosts: Bool

    private enum Operator: Int { case open, or, and, not }

    init(_ text: String, resolvesHosts: Bool) throws(SocketFilterError) {
        self.resolvesHosts = resolvesHosts
        lexer = FilterLexer(text)
        token = try lexer.next()
        previous = token.range
    }

    /// The whole text's expression, in reverse Polish notation.
    mutating func parse() throws(SocketFilterError) -> [SocketFilter.Node] {
        while true {
            try parseOperand()
            while token.kind == .close { try parseClose() }
            switch (token.kind, word?.lowercased()) {
            case (.end, _):
                reduce(downTo: .or)
                if let open = operators.last { throw error("its closing parenthesis is missing", at: open.range) }
                return nodes
            case (.or, _), (_, "or"): try parseBinary(.or)
            case (.and, _), (_, "and"): try parseBinary(.and)
            default: push(.and)  // two terms in a row
            }
        }
    }

    /// Negations and opening parentheses, then a term.
    private mutating func parseOperand() throws(SocketFilterError) {
        while true {
            switch token.kind {
            case .open: operators.append((.open, token.range))
            case .not: operators.append((.not, token.range))
            case .word(let word) where word.lowercased() == "not": operators.append((.not, token.range))
            default: return try parseTerm()
            }
            try advance()
        }
    }

    private mutating func parseClose() throws(SocketFilterError) {
        reduce(downTo: .or)
        guard operators.popLast() != nil else { throw error("no parenthesis is open here") }
        try advance()
    }

    private mutating func parseBinary(_ kind: Operator) throws(SocketFilterError) {
        push(kind)
        try advance()
    }

    private mutating func push(_ kind: Operator) {
        reduce(downTo: kind)
        operators.append((kind, token.range))
    }

    /// Applies the operators that bind as tightly as this one or more, up to the innermost parenthesis.
    private mutating func reduce(downTo kind: Operator) {
        while let (last, _) = operators.last, last.rawValue >= kind.rawValue {
            operators.removeLast()
            switch last {
            case .not: nodes.negate()
            case .and: nodes.append(.and)
            case .or: nodes.append(.or)
            case .open: break
            }
        }
    }

    // MARK: - What terms are read with

    /// The next token's text where it could be a keyword.
    var word: String? { if case .word(let word) = token.kind { word } else { nil } }

    mutating func advance() throws(SocketFilterError) { token = try lexer.next() }

    /// Adds a term, or its negation.
    mutating func append(_ term: SocketFilter.Term, negated: Bool = false) {
        nodes.append(.term(term))
        if negated { nodes.negate() }
    }

    /// Adds a condition that holds where one of these does, and the other one too; or its negation.
    mutating func append(anyOf terms: [SocketFilter.Term], and other: SocketFilter.Term?, negated: Bool) {
        for (index, term) in terms.enumerated() {
            nodes.append(.term(term))
            if index > 0 { nodes.append(.or) }
        }
        if let other { nodes += [.term(other), .and] }
        if negated { nodes.negate() }
    }

    func error(_ reason: String, at range: Range<String.Index>? = nil) -> SocketFilterError {
        SocketFilterError(lexer.text, range ?? token.range, reason)
    }
}

extension SocketFilter {
    /// Reads a filter: `dst 192.0.2.0/24:443 and ( sport = :80 or sport > :1024 )`.
    ///
    /// Names of services are looked up in the system's services. The name of a host is an error, unless it is to be resolved:
    /// the system's resolver may ask the network and take its time. An empty text finds every socket.
    ///
    /// - Parameters:
    ///   - text: The filter.
    ///   - resolvesHosts: Whether the names of hosts are resolved, now, to all of their addresses.
    /// - Throws: ``SocketFilterError``, which points at the wrong word.
    public init(_ text: String, resolvesHosts: Bool = false) throws(SocketFilterError) {
        guard !text.allSatisfy(\.isWhitespace) else {
            self = SocketFilter(.anything)
            return
        }
        var parser = try FilterParser(text, resolvesHosts: resolvesHosts)
        nodes = try parser.parse()
    }

    /// Reads a filter from the words of a command line, as if they were one text. The names of hosts are resolved.
    ///
    /// - Throws: ``SocketFilterError``, whose text is the words joined by spaces.
    public init(arguments: [String]) throws(SocketFilterError) {
        try self.init(arguments.joined(separator: " "), resolvesHosts: true)
    }
}
