internal import Foundation

/// The targets of a `Package.swift`, read as text: to ask the package manager would wait for the build that runs the tests.
struct Manifest {
    /// A target, with what it depends on.
    struct Target {
        /// As the manifest has it: `target`, `testTarget`, `plugin`, …
        let kind: String
        let name: String
        let path: String
        /// Targets by their names, and packages by theirs.
        let dependencies: Set<String>
    }

    /// What is wrong with the text.
    struct Malformed: Error {}

    let targets: [Target]
    /// The products that are libraries, each with the name of its target.
    let libraries: [String]
    /// The packages that modules come from, by the names of the modules.
    let packages: [String: String]

    init(_ text: String) throws {
        guard let start = text.range(of: "let package = ")?.upperBound else { throw Malformed() }
        var parser = Parser(rest: text[start...])
        let package = try parser.expression()
        let declared = package["targets"]?.elements ?? []
        libraries = (package["products"]?.elements ?? []).filter { $0.callee == "library" }.compactMap {
            $0["name"]?.text
        }
        var packages: [String: String] = [:]
        targets = try declared.map { target in
            guard let kind = target.callee, let name = target["name"]?.text else { throw Malformed() }
            var dependencies: Set<String> = []
            for dependency in target["dependencies"]?.elements ?? [] {
                guard let name = dependency.text ?? dependency["name"]?.text else { throw Malformed() }
                let package = dependency["package"]?.text
                if let package { packages[name] = package }
                dependencies.insert(package ?? name)
            }
            let path = target["path"]?.text ?? "\(Self.folder(of: kind))/\(name)"
            return Target(kind: kind, name: name, path: path, dependencies: dependencies)
        }
        self.packages = packages
    }

    private static func folder(of kind: String) -> String {
        switch kind {
        case "plugin": "Plugins"
        case "testTarget": "Tests"
        default: "Sources"
        }
    }
}

/// An expression of a manifest.
private indirect enum Expression {
    case text(String)
    case list([Expression])
    /// A call, or where it has no arguments maybe a name.
    case call(String, [(label: String, value: Expression)])

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var elements: [Expression]? { if case .list(let elements) = self { elements } else { nil } }
    var callee: String? { if case .call(let name, _) = self { name } else { nil } }

    /// The argument of a call.
    subscript(label: String) -> Expression? {
        guard case .call(_, let arguments) = self else { return nil }
        return arguments.first { $0.label == label }?.value
    }
}

/// Reads texts, lists, names and calls, which is all that a manifest is made of.
private struct Parser {
    var rest: Substring

    mutating func expression() throws -> Expression {
        skipSpace()
        if take("\"") { return .text(try text()) }
        if take("[") { return .list(try arguments(to: "]").map(\.value)) }
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
        guard !name.isEmpty else { throw Manifest.Malformed() }
        rest = rest[name.endIndex...]
        return .call(String(name.drop { $0 == "." }), take("(") ? try arguments(to: ")") : [])
    }

    /// What stands between brackets, of which the first is taken; a label may stand before each.
    private mutating func arguments(to end: Character) throws -> [(label: String, value: Expression)] {
        var arguments: [(label: String, value: Expression)] = []
        while true {
            skipSpace()
            if take(end) { return arguments }
            var label = ""
            let word = rest.prefix { $0.isLetter }
            if !word.isEmpty, rest[word.endIndex...].first == ":" {
                label = String(word)
                rest = rest[word.endIndex...].dropFirst()
            }
            arguments.append((label, try expression()))
            skipSpace()
            guard take(",") || rest.first == end else { throw Manifest.Malformed() }
        }
    }

    private mutating func text() throws -> String {
        var text = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return text
            case "\\": text.append(rest.popFirst() ?? " ")
            default: text.append(character)
            }
        }
        throw Manifest.Malformed()
    }

    private mutating func take(_ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func skipSpace() {
        while true {
            rest = rest.drop { $0.isWhitespace }
            guard rest.hasPrefix("//") else { return }
            rest = rest.drop { $0 != "\n" }
        }
    }
}
