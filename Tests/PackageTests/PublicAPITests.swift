internal import Foundation
internal import Testing

/// `make api` writes the listings anew.
@Suite struct PublicAPITests {
    @Test func `The public API of each library is what docs/api lists`() throws {
        for module in try Self.modules() where !Self.empty.contains(module) {
            let listing = try SymbolGraph(of: module).listing
            let path = "docs/api/\(module).txt"
            if ProcessInfo.processInfo.environment["UPDATE_API"] == "1" { try Repository.write(listing, to: path) }
            let listed = Repository.contains(path) ? try Repository.text(of: path) : ""
            let difference = listing.split(separator: "\n").difference(from: listed.split(separator: "\n"))
            let changes = difference.map { change in
                switch change {
                case .insert(_, let line, _): "+ \(line)"
                case .remove(_, let line, _): "- \(line)"
                }
            }
            #expect(changes.isEmpty, "\(path) differs; `make api` writes it anew:\n\(changes.joined(separator: "\n"))")
        }
    }

    @Test func `No listing is of a library that is there no more`() throws {
        let modules = Set(try Self.modules())
        let listed = Repository.files(in: "docs/api").map { $0.replacing(".txt", with: "") }
        #expect(Set(listed) == modules)
    }

    /// The libraries that are empty, because their trait is off; `make test` turns all on.
    private static var empty: Set<String> {
        #if Metrics
            []
        #else
            ["TCPMetrics"]
        #endif
    }

    /// The products, and the targets that they export whole.
    private static func modules() throws -> [String] {
        let manifest = try Manifest(Repository.text(of: "Package.swift"))
        let exported = Set(
            try manifest.libraries.flatMap { library in
                try Repository.sources(in: "Sources/\(library)").flatMap { path in
                    try Repository.text(of: path).matches(of: /@_exported public import (\w+)/).map { String($0.1) }
                }
            }
        )
        return exported.union(manifest.libraries).sorted()
    }
}

/// What the compiler says of a module's public symbols.
private struct SymbolGraph: Decodable {
    struct Symbol: Decodable {
        struct Identifier: Decodable { let precise: String }
        struct Fragment: Decodable { let spelling: String }
        let identifier: Identifier
        let pathComponents: [String]
        let declarationFragments: [Fragment]
    }

    struct Relationship: Decodable {
        let kind: String
        let source: String
        let target: String
        let targetFallback: String?
    }

    var symbols: [Symbol]
    var relationships: [Relationship]

    /// Asks the compiler, whose modules lie beside the tests.
    init(of module: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "symbols-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let modules = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "Modules")
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "swift", "symbolgraph-extract", "-module-name", module, "-I", modules.path,
            "-I", Repository.path(of: "Sources/CMnl"), "-target", "\(Self.architecture)-unknown-linux-gnu",
            "-minimum-access-level", "public", "-skip-synthesized-members", "-output-dir", folder.path,
        ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "symbolgraph-extract has failed for \(module)")
        (symbols, relationships) = ([], [])
        for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
            let graph = try JSONDecoder().decode(SymbolGraph.self, from: Data(contentsOf: file))
            symbols += graph.symbols
            relationships += graph.relationships
        }
    }

    private static var architecture: String {
        #if arch(arm64)
            "aarch64"
        #else
            "x86_64"
        #endif
    }

    /// A line for each symbol: where it is, its declaration, and what it conforms to.
    var listing: String {
        let conformances = Dictionary(grouping: relationships.filter { $0.kind == "conformsTo" }, by: \.source)
        let lines = symbols.map { symbol in
            let declaration = symbol.declarationFragments.map(\.spelling).joined()
                .split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let names = conformances[symbol.identifier.precise, default: []].compactMap { relationship in
                relationship.targetFallback?.split(separator: ".").last.map(String.init)
            }
            let conforms = names.isEmpty ? "" : " : " + Set(names).sorted().joined(separator: ", ")
            let place = symbol.pathComponents.dropLast().joined(separator: ".")
            return place.isEmpty ? declaration + conforms : "\(place): \(declaration)\(conforms)"
        }
        return Set(lines).sorted().map { $0 + "\n" }.joined()
    }
}
