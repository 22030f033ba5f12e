extension FilterParser {
    /// What a quantity is compared with.
    mutating func parseNumber(
        of quantity: SocketFilter.Quantity,
        _ relation: FilterLexer.Relation
    ) throws(SocketFilterError) {
        let comparison =
            if case .comparison(let comparison) = relation { comparison } else { SocketFilter.Comparison.equal }
        let negated = relation == .notEqual
        switch quantity {
        case .localPort, .remotePort:
            let port = try parseWord(Self.portHint) { Self.port($0.hasPrefix(":") ? $0.dropFirst() : $0[...]) }
            if case .number(let number) = port {
                append(.number(quantity, comparison, UInt64(number)), negated: negated)
            } else if comparison == .equal {
                append(.host(quantity == .localPort ? .local : .remote, nil, port: nil), negated: negated)
            } else {
                throw error("* has no order; compare it with = or !=", at: previous)
            }
        case .uid, .retransmits:
            let bound = try parseWord("a number (1000)") { UInt32($0) }
            append(.number(quantity, comparison, UInt64(bound)), negated: negated)
        case .receiveQueue, .sendQueue:
            let bound = try parseWord("a number of bytes (1000, 64k, 2M)", Self.bytes)
            append(.number(quantity, comparison, bound), negated: negated)
        case .rtt:
            let bound = try parseWord("a time with its unit (10ms, 1.5s, 250us)", Self.nanoseconds)
            append(.number(quantity, comparison, bound), negated: negated)
        }
    }

    private static let portHint = "a port (443), the name of a service (https) or *"

    enum Port { case any, number(UInt16) }

    /// A port's number, the name of a service, or `*`.
    static func port(_ text: Substring) -> Port? {
        if text == "*" { return .any }
        return (UInt16(text) ?? NameLookup.port(ofService: String(text))).map(Port.number)
    }

    private static func bytes(_ text: String) -> UInt64? {
        let shift: UInt64 =
            switch text.last?.lowercased() {
            case "k": 10
            case "m": 20
            case "g": 30
            default: 0
            }
        guard let number = UInt64(shift == 0 ? text[...] : text.dropLast()), number <= .max >> shift else { return nil }
        return number << shift
    }

    /// A decimal number and a unit; nothing finer than a nanosecond.
    private static func nanoseconds(_ text: String) -> UInt64? {
        let unit = text.drop { $0.isASCII && $0.isNumber || $0 == "." }
        guard let (scale, _) = SocketFilter.Quantity.units.first(where: { $0.name == unit.lowercased() }) else {
            return nil
        }
        let number = text[..<unit.startIndex].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = UInt64(number[0]) else { return nil }
        var (sum, overflow) = whole.multipliedReportingOverflow(by: scale)
        if number.count == 2 {
            var place = scale
            for digit in number[1] {
                guard let value = digit.wholeNumberValue, place >= 10 else { return nil }
                place /= 10
                let (next, carry) = sum.addingReportingOverflow(UInt64(value) * place)
                (sum, overflow) = (next, overflow || carry)
            }
            guard !number[1].isEmpty else { return nil }
        }
        return overflow ? nil : sum
    }

    /// The addresses and the port of one of a connection's endpoints.
    mutating func parseHost(_ endpoint: SocketFilter.Endpoint, negated: Bool) throws(SocketFilterError) {
        let range = token.range
        let host = try parseWord(FilterHost.hint, FilterHost.init)
        var port: UInt16?
        if let text = host.port {
            guard let parsed = Self.port(text) else {
                throw error("expected \(Self.portHint) after the colon", at: range)
            }
            if case .number(let number) = parsed { port = number }
        }
        do {
            append(
                anyOf: try host.networks(resolvesHosts: resolvesHosts).map { .host(endpoint, $0, port: port) },
                and: host.zone.map { Self.interface(String($0)) },
                negated: negated
            )
        } catch {
            throw self.error(error.description, at: range)
        }
    }
}
