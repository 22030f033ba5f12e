import Glibc
import SeededRandom
import TCPStateLab
import Testing

@testable import SockDiag

@Suite("Filters and the running kernel")
struct FilterKernelTests {
    /// Expects that `answer` has the rows that the filter finds in this process. Sockets go on meanwhile, a TIME_WAIT ends:
    /// so a difference counts only if it stays when both are asked anew.
    private func expectSame<Key: Hashable & Sendable>(
        _ zoo: FilterZoo,
        _ filter: SocketFilter,
        key: (InetSocket) -> Key?,
        answer: (SocketMatcher) throws -> [Key]
    ) throws {
        let matcher = try zoo.client.matcher(for: filter)
        var (found, expected) = ([Key: Int](), [Key: Int]())
        for attempt in 0..<3 {
            if attempt > 0 { try zoo.dump() }
            found = try answer(matcher).reduce(into: [:]) { $0[$1, default: 0] += 1 }
            expected = zoo.sockets.filter { matcher.matches($0) }.compactMap(key).reduce(into: [:]) {
                $0[$1, default: 0] += 1
            }
            if found == expected { return }
        }
        let (missing, wrong) = (
            expected.filter { found[$0.key] != $0.value }, found.filter { expected[$0.key] != $0.value }
        )
        Issue.record("\(filter): missing \(missing), wrong \(wrong)")
    }

    @Test("The answer is the same as if all of the filter had run here")
    func sameAnswer() throws {
        let zoo = try FilterZoo.open()
        defer { zoo.lab.close() }
        var random = SplitMix64(1)
        let filters = try RandomFilters(of: zoo, kernelOnly: false)
        for _ in 0..<2000 {
            let filter = filters.next(&random)
            try expectSame(zoo, filter, key: SocketKey.init) { _ in
                try zoo.client.sockets(SocketQuery(filter: filter)).map(SocketKey.init)
            }
        }
    }

    @Test("The kernel tests as this side does, minisockets too")
    func kernelAlone() throws {
        let zoo = try FilterZoo.open()
        defer { zoo.lab.close() }
        var random = SplitMix64(2)
        let filters = try RandomFilters(of: zoo, kernelOnly: true)
        for _ in 0..<2000 {
            let filter = filters.next(&random)
            try expectSame(zoo, filter, key: SocketKey.init) { matcher in
                try matcher.operations.map { try zoo.passed($0).map(SocketKey.init) } ?? []
            }
        }
    }

    @Test("ss finds the same sockets by the same terms")
    func sameAsSS() throws {
        let zoo = try FilterZoo.open()
        defer { zoo.lab.close() }
        var random = SplitMix64(3)
        guard access("/usr/bin/ss", X_OK) == 0 else { try Test.cancel("ss is not installed (iproute2)") }
        let filters = RandomFilters(
            terms: try RandomFilters(of: zoo, kernelOnly: true).terms.filter {
                switch $0 {
                // ss compares the bits of any two families: to it, 0.0.0.0 is in ::/8, which shows under a negation.
                case .host(_, let network?, _): !network.address.isAny
                // ss takes / for the root of the file system.
                case .named(.cgroup): false
                default: true
                }
            }
        )
        for _ in 0..<200 {
            let filter = filters.next(&random)
            // ss 6.1 does not ask for bound sockets.
            try expectSame(zoo, filter, key: { $0.state == .bound ? nil : "sk:\($0.cookie)" }) { _ in
                let result = try zoo.lab.spawn("/usr/bin/ss", ["-tanHe", Self.ssText(filter)])
                #expect(result.standardError == "")
                let words = result.standardOutput.split(whereSeparator: \.isWhitespace).map(String.init)
                return words.filter { $0.hasPrefix("sk:") }
            }
        }
    }

    /// A filter as ss reads it: without precedence, and with != for few terms.
    static func ssText(_ filter: SocketFilter) -> String {
        var stack: [String] = []
        for node in filter.nodes {
            switch node {
            case .term(let term): stack.append(SocketFilter(term).description)
            case .not: stack.append("! ( \(stack.removeLast()) )")
            case .and, .or:
                let (right, left) = (stack.removeLast(), stack.removeLast())
                stack.append("( \(left) ) \(node == .and ? "and" : "or") ( \(right) )")
            }
        }
        return stack.removeLast().replacing("]/", with: "/").replacing(#/\[([^\]\/]*)(\/\d+)(:\d+)?/#) {
            "[\($0.1)\($0.2)]\($0.3 ?? "")"
        }
    }
}
