import Foundation

/// What `body` leaves in a file that is gone afterwards.
func withTemporaryFile(_ body: (String) throws -> Void) throws -> String {
    let file = FileManager.default.temporaryDirectory.appending(path: "tcpstates-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try body(file.path)
    return try String(contentsOf: file, encoding: .utf8)
}
