internal import Foundation
internal import Testing

/// The compiler sees to it that the tracker has no target with I/O beneath it; libc it would let in.
@Suite("The tracker and its values do no I/O")
struct PurityTests {
    @Test(arguments: ["SocketValues", "ConnectionTracking"])
    func `Nothing is imported that has a clock, a thread, a lock or a file`(target: String) throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/\(target)")
        let files = try #require(FileManager.default.enumerator(atPath: sources.path)).compactMap { $0 as? String }
            .filter { $0.hasSuffix(".swift") }
        #expect(files.count > 10, "the sources are not at \(sources.path)")
        for file in files {
            let text = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
            let imported = Set(text.split(separator: "\n").compactMap(Self.module))
            #expect(imported.isSubset(of: ["SocketValues", "Swift"]), "\(target)/\(file) imports \(imported)")
        }
    }

    /// The module of an import, whichever attributes, access and kind stand before it; nil for any other line.
    private static func module(_ line: Substring) -> Substring? {
        let words = line.prefix { $0 != "/" }.split(whereSeparator: { $0.isWhitespace || $0 == ";" })
        guard let index = words.firstIndex(of: "import"), words[..<index].allSatisfy(isModifier) else { return nil }
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor"]
        return words[(index + 1)...].first { !kinds.contains($0) }?.split(separator: ".").first
    }

    private static func isModifier(_ word: Substring) -> Bool {
        word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }

    @Test(
        arguments: [
            ("import Glibc", "Glibc"), ("@preconcurrency internal import Dispatch", "Dispatch"),
            ("  package import struct Foundation.Data  // why", "Foundation"), ("@testable import CMnl;", "CMnl"),
            ("// import Glibc", nil), ("let important = 1", nil), ("/// what an import brings in", nil),
        ] as [(String, String?)]
    )
    func `An import is found in any of its forms`(line: String, module: String?) {
        #expect(Self.module(line[...]).map(String.init) == module)
    }
}
