internal import Foundation
internal import Testing

@Suite("What the documents send a reader to is there")
struct PathTests {
    @Test(arguments: [("docs/architecture.md", 40), ("docs/libraries.md", 20)])
    func `Every path in a table of a document exists`(document: String, least: Int) throws {
        let paths = Self.paths(in: try Repository.text(of: document))
        #expect(paths.count > least, "the paths are not found")
        let missing = paths.filter { path in
            !path.folders.contains { Repository.contains("\($0)\(path.name)") }
        }
        #expect(missing.map(\.name) == [])
    }

    @Test(arguments: ["CONTRIBUTING.md", "docs/architecture.md", "docs/libraries.md", "docs/reliability.md"])
    func `Every source file that a document names exists`(document: String) throws {
        let sources = ["Sources", "Tests", "Plugins", "Examples"].flatMap(Repository.sources(in:)) + ["Package.swift"]
        let named = try Repository.text(of: document).codeSpans.filter { $0.hasSuffix(".swift") && $0 != ".swift" }
        let missing = named.filter { name in !sources.contains { $0 == name || $0.hasSuffix("/\(name)") } }
        #expect(missing == [])
    }

    @Test func `Every folder of the commands is in the table of them, and no other`() throws {
        let tables = MarkdownTable.all(in: try Repository.text(of: "docs/architecture.md"))
        let table = try #require(tables.first { $0.header == ["folder", "holds"] })
        let named = table.rows.flatMap { $0[0].codeSpans }
        #expect(Set(named) == Repository.folders(in: "Sources/TCPStatesCommands"))
        #expect(Set(named).count == named.count)
    }

    @Test func `A path that is missing is found, and what is no path is none`() {
        let text = """
            # One
            All in `Sources/SockDiag`.

            | question | file |
            | --- | --- |
            | `/proc`, `dump()`, `a / b` | `Query/SocketQuery.swift`, `Query/Nothing.swift` |

            ## Two
            | question | file |
            | --- | --- |
            | where | `Query/SocketQuery.swift`, `Sources/SockDiag`, `Package.swift` |
            """
        let missing = Self.paths(in: text).filter { path in
            !path.folders.contains { Repository.contains("\($0)\(path.name)") }
        }
        #expect(missing.map(\.name) == ["Query/Nothing.swift", "Query/SocketQuery.swift"])
    }

    /// The paths in a document's tables, and the folders that each may begin at: the package's, and the one that the text
    /// before the table says everything is in.
    private static func paths(in document: String) -> [(name: String, folders: [String])] {
        MarkdownTable.all(in: document).flatMap { table in
            let base = table.lead.range(of: "All in `").map { table.lead[$0.upperBound...].prefix { $0 != "`" } }
            let folders = [""] + (base.map { ["\($0)/"] } ?? [])
            return table.rows.joined().flatMap(\.codeSpans).filter(isPath).map { (name: $0, folders: folders) }
        }
    }

    private static func isPath(_ text: String) -> Bool {
        (text.contains("/") || text.hasSuffix(".swift")) && !text.hasPrefix("/")
            && text.allSatisfy { $0.isLetter || $0.isNumber || "/+-_.".contains($0) }
    }
}
