import SockDiag
import Testing

/// The examples of docs/filters.md.
@Suite struct FilterGuideTests {
    private static func text(of path: String) throws -> String {
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return String(decoding: try #require(contents(ofFile: "/\(root)/\(path)")), as: UTF8.self)
    }

    @Test func everyExampleOfTheGuideIsAnsweredByTheKernel() throws {
        let filters = try Self.text(of: "docs/filters.md").matches(of: #/tcpstates [^`'\n]*'([^']*)'/#).map {
            String($0.1)
        }
        #expect(filters.count > 20)
        var client = try SockDiagClient()
        for text in filters {
            let filter = try SocketFilter(text, resolvesHosts: true)
            #expect(try SocketFilter(filter.description) == filter)
            do {
                try client.forEach(SocketQuery(filter: filter), external: { _, _ in false }) { _ in }
            } catch {
                let isName = error.code == .notFound && text.contains("cgroup")
                let isMark = error.code == .missingCapability && text.contains("fwmark")
                #expect(isName || isMark, "\(text): \(error)")
            }
        }
    }

    @Test func everyTermOfTheLanguageIsInTheGuide() throws {
        let guide = try Self.text(of: "docs/filters.md")
        let error = #expect(throws: SocketFilterError.self) { try SocketFilter("prot = 80") }
        let terms = try #require(error).reason.split(separator: ": ")[1].split(separator: ", ")
        #expect(terms.count > 15)
        for term in terms { #expect(guide.contains("| `\(term)") || guide.contains(", `\(term) "), "\(term)") }
        #expect(guide.contains("\n\(try #require(error))\n"))
    }

    @Test func theSwiftOfTheGuideIsTheSwiftThatIsCompiledHere() throws {
        // docs/filters.md, 1
        let leaked: SocketFilter = .state(.closeWait) && .localPort == 443 && .receiveQueue > 0
        let slow: SocketFilter = .rtt > .milliseconds(100) && !.remote(.loopbackIPv4)
        let ours: SocketFilter = .any(of: [80, 443].map { .localPort == $0 })
        let typed = try SocketFilter("dst 10.0.0.0/8:5432 and retrans > 0")

        var client = try SockDiagClient()
        for socket in try client.sockets(SocketQuery(filter: ours && (leaked || slow || typed))) { print(socket) }
        // docs/filters.md, 2
        func holds(_ condition: SocketFilter.External, _ socket: borrowing SocketRecord) -> Bool {
            condition == .process("nginx") && socket.uid == 33
        }
        let query = SocketQuery(filter: .process("nginx") && .state(.closeWait))
        try client.forEach(query, external: holds) { print($0.local, $0.remote) }
        // docs/filters.md, end
        let guide = try Self.text(of: "docs/filters.md")
        let source = try Self.text(of: "Tests/SockDiagTests/Filter/FilterGuideTests.swift")
        let parts = source.split(separator: "        // docs/filters.md, ")[1...2].map { part in
            part.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().map { String($0.dropFirst(8)) }
                .joined(separator: "\n")
        }
        for part in parts { #expect(guide.contains(part), "\(part)") }
    }
}
