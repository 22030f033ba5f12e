/// A module that a source file imports.
struct Import: Hashable {
    let module: String
    /// Whether those who import the file's module may see something of it: by `public`, `package` or `@_exported`.
    let isPassedOn: Bool

    /// The import of a line, whichever attributes, access and kind stand before its module; nil for any other line.
    init?(line: Substring) {
        let words = line.prefix { $0 != "/" }.split(whereSeparator: { $0.isWhitespace || $0 == ";" })
        guard let index = words.firstIndex(of: "import"), words[..<index].allSatisfy(Self.isModifier),
            let module = words[(index + 1)...].first(where: { !Self.kinds.contains($0) })?.split(separator: ".").first
        else { return nil }
        self.module = String(module)
        isPassedOn = words[..<index].contains { ["public", "package", "@_exported"].contains($0) }
    }

    /// The imports of a file.
    static func all(in text: String) -> [Import] { text.split(separator: "\n").compactMap(Import.init(line:)) }

    private static let kinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor",
    ]

    private static func isModifier(_ word: Substring) -> Bool {
        word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }
}
