internal import Foundation
internal import Testing

@Suite("What a target holds and may import is as the documents say")
struct RoomTests {
    @Test(arguments: ["CONTRIBUTING.md", "docs/architecture.md"])
    func `The table of a document agrees with Package.swift and with every import`(document: String) throws {
        let rooms = try Rooms(of: try Repository.text(of: document))
        #expect(rooms.rooms.count > 10, "the table is not found")
        #expect(rooms.imports.count > 300, "the sources are not found")
        for complaint in rooms.complaints { Issue.record("\(document): \(complaint)") }
    }

    @Test func `A folder that the document's table names in a target is there`() throws {
        let rooms = try Rooms(of: try Repository.text(of: "docs/architecture.md"))
        var count = 0
        for room in rooms.rooms {
            for folder in room.folders {
                count += 1
                let places = rooms.targets(of: room).map { "\($0.path)/\(folder)" }
                let isThere = places.contains(where: Repository.contains)
                #expect(isThere, "\(room.name) has no folder \(folder)")
            }
        }
        #expect(count > 10, "the folders are not found")
    }

    @Test func `Where Musl is the C library one target alone has to know it`() throws {
        for file in Repository.sources(in: "Sources") where !file.hasPrefix("Sources/LinuxLibC/") {
            let modules = Import.all(in: try Repository.text(of: file)).map(\.module)
            #expect(!modules.contains("Glibc") && !modules.contains("Musl"), "\(file) imports it past LinuxLibC")
        }
    }

    private static let table = """
        | target | holds | may import |
        | --- | --- | --- |
        | `CLow` | C | – |
        | `Low` (package-internal) | `Bytes`: what is read | `CLow` internally |
        | `High`, `Higher` | values | `Low`, parser |
        | `Tests/Lab` | sockets | `High`, Testing |
        | `Plugins` | – | Foundation |
        """
    private static let manifest = """
        // swift-tools-version: 6.2
        let settings: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny")]
        let package = Package(
            name: "p",  // a name, "p"
            products: [.library(name: "Low", targets: ["Low"])],
            traits: [.default(enabledTraits: commandLine)],
            targets: [
                .systemLibrary(name: "CLow", pkgConfig: "low", providers: [.apt(["low-dev"])]),
                .target(name: "Low", dependencies: ["CLow"], swiftSettings: settings),
                .target(
                    name: "High",
                    dependencies: [
                        .target(name: "Low"),
                        .product(name: "Parser", package: "parser", condition: .when(traits: commandLine)),
                    ]
                ),
                .executableTarget(name: "Higher", dependencies: ["Low", .product(name: "Parser", package: "parser")]),
                .target(name: "Lab", dependencies: ["High"], path: "Tests/Lab"),
                .testTarget(name: "LowTests", dependencies: ["Low"]),
                .plugin(
                    name: "run", capability: .command(intent: .custom(verb: "run", description: "Runs \\"high\\", it [does].")),
                    dependencies: ["Higher"]
                ),
            ],
            swiftLanguageModes: [.v6]
        )
        """
    private static let sources = [
        "Sources/Low/a.swift": "internal import CLow\ninternal import Glibc",
        "Sources/High/a.swift": "public import Low",
        "Sources/Higher/main.swift": "public import Low\nimport Parser",
        "Tests/Lab/a.swift": "package import High\nimport Testing", "Plugins/run/a.swift": "import Foundation",
        "Tests/LowTests/a.swift": "import Anything",
    ]

    /// What is found wrong where a text of the table, of the manifest or of the sources is replaced by another.
    private func complaints(replacing text: String = "", with other: String = "") throws -> [String] {
        func replaced(_ whole: String) -> String {
            guard !text.isEmpty, let range = whole.range(of: text) else { return whole }
            return whole.replacingCharacters(in: range, with: other)
        }
        return Rooms(
            rooms: Rooms.rooms(in: replaced(Self.table)),
            manifest: try Manifest(replaced(Self.manifest)),
            imports: Self.sources.mapValues { Import.all(in: replaced($0)) }
        ).complaints
    }

    @Test func `A table that is right is found right, whatever its rows look like`() throws {
        let complaints = try complaints()
        #expect(complaints.isEmpty)
    }

    @Test(
        arguments: [
            ("`Tests/Lab`", "`Tests/Laboratory`", ["Tests/Laboratory is no target of Package.swift"]),
            ("| `CLow` | C | – |\n", "", ["CLow has 0 rows"]),
            ("| values |", "| values | `Low`, parser |\n| `High` | more |", ["High has 2 rows"]),
            (
                "`Low`, parser", "parser",
                [
                    "Package.swift lets High import Low, its row does not",
                    "Package.swift lets Higher import Low, its row does not",
                    "Sources/High/a.swift imports Low, the row of High does not allow it",
                    "Sources/Higher/main.swift imports Low, the row of Higher does not allow it",
                ]
            ),
            (".target(name: \"Low\"),", "", ["the row of High lets it import Low, Package.swift does not"]),
            (
                "`High`, Testing", "`High`, `Low`, Testing",
                [
                    "the row of Lab lets it import Low, Package.swift does not",
                    "no source of Tests/Lab imports Low, which its row allows",
                ]
            ),
            (
                "internal import Glibc", "import Foundation",
                [
                    "Sources/Low/a.swift imports Foundation, the row of Low does not allow it"
                ]
            ),
            (
                "internal import CLow", "package import CLow",
                [
                    "Sources/Low/a.swift passes on CLow, the row of Low allows it internally"
                ]
            ),
            ("\nimport Testing", "", ["no source of Tests/Lab imports Testing, which its row allows"]),
            (
                "dependencies: [\"High\"]", "dependencies: []",
                [
                    "the row of Lab lets it import High, Package.swift does not"
                ]
            ),
        ] as [(String, String, [String])]
    )
    func `Whatever lies is found`(text: String, other: String, expected: [String]) throws {
        let complaints = try complaints(replacing: text, with: other)
        #expect(complaints == expected)
    }

    @Test(
        arguments: [
            ("–", [], []), ("`A`", ["A"], []), ("`A`, `B` internally, Testing", ["A", "B", "Testing"], ["B"]),
            ("`A` and `B` internally", ["A", "B"], ["A", "B"]),
            ("`A`; `B` and `C` internally", ["A", "B", "C"], ["B", "C"]),
            ("swift-parser, `A` and `B`", ["swift-parser", "A", "B"], []),
        ] as [(String, Set<String>, Set<String>)]
    )
    func `A row is read as it is meant`(cell: String, allowed: Set<String>, hidden: Set<String>) {
        let room = Rooms.Room("Room", contents: "", imports: cell)
        #expect(room.allowed == allowed)
        #expect(room.hidden == hidden)
    }

    @Test func `A row that allows one below it is found`() throws {
        let table = Self.table.split(separator: "\n").map(String.init)
        let turned = (Array(table[..<2]) + [table[3], table[2]] + Array(table[4...])).joined(separator: "\n")
        let rooms = Rooms(
            rooms: Rooms.rooms(in: turned),
            manifest: try Manifest(Self.manifest),
            imports: Self.sources.mapValues(Import.all)
        )
        #expect(rooms.complaints == ["Low may import CLow, whose row is not above its own"])
    }
}

extension Rooms.Room {
    /// The folders that are named in what it holds: code before a colon.
    var folders: [String] {
        let parts = contents.split(separator: "`", omittingEmptySubsequences: false)
        return parts.indices.dropLast().filter { $0 % 2 == 1 && parts[$0 + 1].hasPrefix(":") }
            .map { String(parts[$0]) }
    }
}
