internal import Foundation

/// The files that the tests were built from; every path begins at the package's folder.
enum Repository {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The text of a file.
    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Writes a file anew.
    static func write(_ text: String, to path: String) throws {
        try text.write(to: root.appending(path: path), atomically: true, encoding: .utf8)
    }

    /// Where a file is.
    static func path(of path: String) -> String { root.appending(path: path).path }

    /// The names in a folder.
    static func files(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)) ?? []
    }

    /// Whether there is a file or a folder.
    static func contains(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    /// The Swift files in a folder and in those within it; none where there is no such folder.
    static func sources(in folder: String) -> [String] {
        let paths = FileManager.default.enumerator(atPath: root.appending(path: folder).path)?.compactMap {
            $0 as? String
        }
        return (paths ?? []).filter { $0.hasSuffix(".swift") }.map { "\(folder)/\($0)" }.sorted()
    }

    /// The folders right in a folder that have Swift files.
    static func folders(in folder: String) -> Set<String> {
        let inner = sources(in: folder).map { $0.dropFirst(folder.count + 1).split(separator: "/") }
        return Set(inner.filter { $0.count > 1 }.map { String($0[0]) })
    }
}
