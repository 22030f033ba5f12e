/// A table of what each target holds and may import, beside `Package.swift` and the imports of the sources.
struct Rooms {
    /// A row of the table.
    struct Room {
        /// A target, or a folder of targets.
        let name: String
        /// What it holds.
        let contents: String
        /// The targets, packages and modules that it may import.
        let allowed: Set<String>
        /// Those of them that it may pass nothing on of.
        let hidden: Set<String>
    }

    /// What has no row to be allowed in: the language, and the C library and its locks.
    static let free: Set<String> = ["Swift", "Glibc", "Musl", "Synchronization"]
    /// What comes with the compiler, but has to be allowed.
    static let toolchain: Set<String> = ["Dispatch", "Foundation", "PackagePlugin", "Testing", "XCTest"]

    let rooms: [Room]
    let manifest: Manifest
    /// The imports of each file, by its path.
    let imports: [String: [Import]]

    /// What is wrong with the table, a sentence each.
    var complaints: [String] {
        namesThatLie + edgesThatLie + importsThatAreForbidden + edgesThatAreUnused + upwardEdges
    }

    /// The targets that a row is about.
    func targets(of room: Room) -> [Manifest.Target] {
        let named = manifest.targets.filter { target in
            room.name.contains("/") ? target.path == room.name : target.name == room.name
        }
        return named.isEmpty ? manifest.targets.filter { $0.path.hasPrefix("\(room.name)/") } : named
    }

    /// Rows without a target, and targets in `Sources` without a row or with several.
    private var namesThatLie: [String] {
        let unknown = rooms.filter { targets(of: $0).isEmpty }.map { "\($0.name) is no target of Package.swift" }
        let described = rooms.flatMap { targets(of: $0).map(\.name) }
        let miscounted = manifest.targets.filter { $0.path.hasPrefix("Sources/") }.compactMap { target -> String? in
            let count = described.count { $0 == target.name }
            return count == 1 ? nil : "\(target.name) has \(count) rows"
        }
        return unknown + miscounted
    }

    /// Rows that allow something else than `Package.swift` does.
    private var edgesThatLie: [String] {
        rooms.flatMap { room in
            targets(of: room).flatMap { target -> [String] in
                // A plugin depends on the tools that it runs, and cannot import them.
                let declared = target.kind == "plugin" ? [] : target.dependencies
                let allowed = room.allowed.subtracting(Self.toolchain)
                let hidden = declared.subtracting(allowed).sorted().map {
                    "Package.swift lets \(target.name) import \($0), its row does not"
                }
                let invented = allowed.subtracting(declared).sorted().map {
                    "the row of \(target.name) lets it import \($0), Package.swift does not"
                }
                return hidden + invented
            }
        }
    }

    /// Imports of what a row does not allow, and those that pass on what it allows internally alone.
    private var importsThatAreForbidden: [String] {
        rooms.flatMap { room in
            files(of: room).flatMap { file, imports in
                imports.compactMap { line -> String? in
                    let name = manifest.packages[line.module] ?? line.module
                    if !Self.free.contains(name), !room.allowed.contains(name) {
                        return "\(file) imports \(name), the row of \(room.name) does not allow it"
                    }
                    guard line.isPassedOn, room.hidden.contains(name) else { return nil }
                    return "\(file) passes on \(name), the row of \(room.name) allows it internally"
                }
            }
        }
    }

    /// What a row allows and no source imports. A product may be declared to be linked, and C imports nothing.
    private var edgesThatAreUnused: [String] {
        rooms.filter { !targets(of: $0).isEmpty && !files(of: $0).isEmpty }.flatMap { room in
            let imported = Set(files(of: room).flatMap(\.imports).map(\.module))
            return room.allowed.subtracting(imported).subtracting(manifest.packages.values).sorted().map {
                "no source of \(room.name) imports \($0), which its row allows"
            }
        }
    }

    /// What a row allows of the rows below it.
    private var upwardEdges: [String] {
        rooms.enumerated().flatMap { place, room in
            let below = Set(rooms[place...].flatMap { targets(of: $0) }.map(\.name))
            return room.allowed.intersection(below).sorted().map {
                "\(room.name) may import \($0), whose row is not above its own"
            }
        }
    }

    private func files(of room: Room) -> [(file: String, imports: [Import])] {
        let folders = targets(of: room).map { "\($0.path)/" }
        return imports.filter { file in folders.contains { file.key.hasPrefix($0) } }.sorted { $0.key < $1.key }
            .map { (file: $0.key, imports: $0.value) }
    }
}

extension Rooms {
    /// The table of a document, and what is in the repository.
    init(of document: String) throws {
        let manifest = try Manifest(try Repository.text(of: "Package.swift"))
        var imports: [String: [Import]] = [:]
        for target in manifest.targets {
            for file in Repository.sources(in: target.path) {
                imports[file] = Import.all(in: try Repository.text(of: file))
            }
        }
        self.init(rooms: Self.rooms(in: document), manifest: manifest, imports: imports)
    }

    /// The rows of a document's table of targets.
    static func rooms(in document: String) -> [Room] {
        MarkdownTable.all(in: document).filter { $0.header == ["target", "holds", "may import"] }.flatMap(\.rows)
            .flatMap { row in row[0].codeSpans.map { Room($0, contents: row[1], imports: row[2]) } }
    }
}

extension Rooms.Room {
    /// A row: what may be imported is separated by commas or semicolons, `–` for nothing. `internally` behind one, or behind
    /// several that `and` joins, says that nothing of them is passed on.
    init(_ name: String, contents: String, imports: String) {
        self.name = name
        self.contents = contents
        var (allowed, hidden): (Set<String>, Set<String>) = ([], [])
        for part in imports.split(whereSeparator: { ",;".contains($0) }).map(\.trimmed) {
            var words = part.filter { $0 != "`" }.split(separator: " ").map(String.init)
            let isHidden = words.last == "internally"
            if isHidden { words.removeLast() }
            let names = words.filter { $0 != "and" && $0 != "–" }
            allowed.formUnion(names)
            if isHidden { hidden.formUnion(names) }
        }
        (self.allowed, self.hidden) = (allowed, hidden)
    }
}
