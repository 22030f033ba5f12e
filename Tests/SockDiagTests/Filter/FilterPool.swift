@testable import SockDiag

/// The values that random filters and random sockets share.
enum FilterPool {
    static let addresses = [
        "0.0.0.0", "127.0.0.1", "127.0.0.2", "10.1.2.3", "192.0.2.9", "255.255.255.255",
        "::", "::1", "2001:db8::1", "2001:db8:8000::1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "fe80::1",
    ].compactMap { IPAddress($0) }
    static let ports: [UInt16] = [0, 1, 22, 80, 443, 1024, 32768, 40000, 60999, 65534, 65535]
    static let prefixLengths = [0, 1, 7, 8, 16, 24, 31, 32, 33, 64, 96, 97, 104, 127, 128]
    static let names = [
        "nginx", "a b", "", "eq", "NOT", "sport", "quote\"'\\", "tab\there", "nul\0", "ü", "e\u{301}", "\u{301}", "1",
        "(x)", "\u{202e}", "x\u{1b}[2J", "état", "!", "a=b", "state", "👩‍👩‍👧",
    ]
}

extension SocketFilter {
    /// What a random filter is made of.
    enum RandomTerms {
        /// All terms.
        case any
        /// Those that the kernel tests exactly.
        case kernel
    }

    /// A filter of so many terms.
    static func random(
        terms count: Int,
        of kind: RandomTerms = .any,
        _ random: inout some RandomNumberGenerator
    ) -> SocketFilter {
        var filters = (0..<max(count, 1)).map { _ in SocketFilter(.random(kind, &random)) }
        while filters.count > 1 {
            let right = filters.remove(at: .random(in: filters.indices, using: &random))
            let index = Int.random(in: filters.indices, using: &random)
            filters[index] = Bool.random(using: &random) ? filters[index] && right : filters[index] || right
            if UInt8.random(in: 0...2, using: &random) == 0 { filters[index] = !filters[index] }
        }
        return UInt8.random(in: 0...4, using: &random) == 0 ? !filters[0] : filters[0]
    }
}

extension SocketFilter.Term {
    static func random(_ kind: SocketFilter.RandomTerms, _ random: inout some RandomNumberGenerator) -> Self {
        let endpoint = Bool.random(using: &random) ? SocketFilter.Endpoint.local : .remote
        let comparisons: [SocketFilter.Comparison] = [.equal, .less, .lessOrEqual, .greater, .greaterOrEqual]
        let comparison = comparisons.randomElement(using: &random) ?? .equal
        func element<Value>(_ values: [Value], _ random: inout some RandomNumberGenerator) -> Value {
            values[.random(in: values.indices, using: &random)]
        }
        switch UInt8.random(in: 0...(kind == .any ? 12 : 5), using: &random) {
        case 0, 1:
            let port = Bool.random(using: &random) ? element(FilterPool.ports, &random) : nil
            let network = IPNetwork(
                element(FilterPool.addresses, &random),
                prefixLength: element(FilterPool.prefixLengths, &random)
            )
            return .host(endpoint, network, port: port)
        case 2, 3:
            let quantity = endpoint == .local ? SocketFilter.Quantity.localPort : .remotePort
            return .number(quantity, comparison, UInt64(element(FilterPool.ports, &random)))
        case 4: return .interface(.random(in: 0...2, using: &random))
        case 5: return .mark(.random(in: 0...3, using: &random), mask: element([.max, 1, 2, 0], &random))
        case 6: return .states(TCPStateSet(rawValue: .random(in: 0...UInt32.max, using: &random)).paired)
        case 7: return .inode(.random(in: 0...2, using: &random))
        case 8: return .cookie(.random(in: 1...3, using: &random))
        case 9:
            return element(
                [
                    .external(.pid(7)), .external(.process(element(FilterPool.names, &random))),
                    .external(.networkNamespace(element(FilterPool.names, &random))),
                ],
                &random
            )
        case 10: return .named(.autobound)
        case 11: return .number(.rtt, comparison, element([0, 1, 1000, 2500, 3_000_000_000, .max], &random))
        default:
            let quantities: [SocketFilter.Quantity] = [.uid, .receiveQueue, .sendQueue, .retransmits]
            return .number(element(quantities, &random), comparison, .random(in: 0...3, using: &random))
        }
    }
}
