internal import Foundation
internal import LinuxSystem
internal import SockDiag
internal import Testing

@testable internal import TCPWatch

/// The journals that lie beside the tests, each with what it was replayed to when it was made.
///
/// They are written and read as of one version: it is the number of the format that says whether this program can read them, and
/// it changes seldomer than the program's.
enum Corpus {
    static let version = "corpus"
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Journals").path
    /// The names of all journals, in order.
    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return files.filter { $0.hasSuffix(".journal") }.map { String($0.dropLast(8)) }.sorted()
    }()
    /// Whether the journals are made anew, on this kernel.
    static let isRecording = environment("RECORD_JOURNALS")
    /// Whether what the journals are replayed to is what is expected from now on.
    static let isUpdating = environment("UPDATE_SNAPSHOTS")

    private static func environment(_ name: String) -> Bool { ProcessInfo.processInfo.environment[name] == "1" }

    static func journal(_ name: String) -> String { "\(directory)/\(name).journal" }

    /// The expected lines of a journal.
    static func expected(_ name: String) throws -> [String] {
        try String(contentsOfFile: "\(directory)/\(name).txt", encoding: .utf8).split(separator: "\n").map(String.init)
    }

    static func expect(_ lines: [String], of name: String) throws {
        let text = lines.map { $0 + "\n" }.joined()
        try text.write(toFile: "\(directory)/\(name).txt", atomically: true, encoding: .utf8)
    }

    /// What a journal is replayed to. The test fails where this version cannot read it.
    static func replay(_ name: String) throws -> (header: JournalHeader, events: [SocketEvent]) {
        let start = try OpenFile.start(of: journal(name), limit: JournalFraming.prefaceSize)
        let format = start.dropFirst(JournalFraming.mark.count).first
        try #require(
            format == JournalFraming.format,
            "it is of format \(format ?? 0), and this version writes \(JournalFraming.format): make journals"
        )
        do {
            var replay = try JournalReplay(path: journal(name), version: version)
            var events: [SocketEvent] = []
            while true {
                let more = try replay.next()
                if more.isEmpty { return (replay.header, events) }
                events += more
            }
        } catch {
            Issue.record("\(error). Where the format has changed: raise JournalFraming.format, then make journals")
            throw error
        }
    }
}
