import Foundation
import Testing

/// The programs that read metrics: Prometheus' own, and the parser of its library.
enum Fleet {
    /// The package's folder.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// A file of the example.
    static func example(_ name: String) throws -> String {
        try String(contentsOf: root.appending(path: "Examples/Fleet/\(name)"), encoding: .utf8)
    }

    static let examples = root.appending(path: "Examples/Fleet").path
    static let promtool = "/usr/bin/promtool"
    /// A Python that has `prometheus-client`.
    static let python = root.appending(path: ".build/fleet/bin/python").path

    /// Whether a program is wanted, and there or has to be: then its absence is a failure.
    static func has(_ program: String) -> Bool {
        switch ProcessInfo.processInfo.environment["FLEET"] {
        case "required": true
        case nil: false
        default: FileManager.default.isExecutableFile(atPath: program)
        }
    }

    /// What a program said, and how it ended.
    struct Answer {
        let status: Int32
        let text: String
    }

    /// Runs a program with a file as its standard input.
    static func run(_ program: String, _ arguments: [String], input: String = "") throws -> Answer {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tcpstates-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (source, output) = (folder.appending(path: "input"), folder.appending(path: "output"))
        try Data(input.utf8).write(to: source)
        try Data().write(to: output)
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = try FileHandle(forReadingFrom: source)
        let handle = try FileHandle(forWritingTo: output)
        (process.standardOutput, process.standardError) = (handle, handle)
        try process.run()
        process.waitUntilExit()
        return Answer(status: process.terminationStatus, text: try String(contentsOf: output, encoding: .utf8))
    }
}
