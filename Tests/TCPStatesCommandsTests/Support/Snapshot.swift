import Foundation
import Testing

/// Compares text with a file in `Snapshots`. `UPDATE_SNAPSHOTS=1 swift test --filter TCPStatesCommandsTests` writes the
/// files anew.
func expectSnapshot(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = repository.appending(path: "Tests/TCPStatesCommandsTests/Snapshots/\(name)")
    if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOTS"] == "1" {
        try text.write(to: file, atomically: true, encoding: .utf8)
    }
    let expected = try String(contentsOf: file, encoding: .utf8)
    #expect(text == expected, "it differs from \(file.path)", sourceLocation: sourceLocation)
}

/// The folder of the package.
let repository = (0..<4).reduce(URL(filePath: #filePath)) { path, _ in path.deletingLastPathComponent() }
