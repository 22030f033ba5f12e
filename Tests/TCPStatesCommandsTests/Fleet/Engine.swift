import Foundation
import TCPStateLab
import Testing

@testable import TCPStatesCommands

/// Programs that others have made and that `make test-fleet` installs: the tests that want one say so where it is missing.
enum Engine: String {
    case promtool = "/usr/bin/promtool"
    case prometheus = "/usr/bin/prometheus"
    case alertmanager = "/usr/bin/prometheus-alertmanager"
    case chromium = "/usr/bin/chromium"
    case systemd = "/usr/bin/systemd-analyze"
    /// A Python that has the packages of the Makefile.
    case python

    /// The package's folder.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// What the example holds.
    static let example = root.appending(path: "Examples/Fleet").path

    var path: String { self == .python ? Self.root.appending(path: ".build/fleet/bin/python").path : rawValue }

    /// Whether they are wanted, as they take minutes, and all of them are there, or have to be: then their absence is a failure.
    static func has(_ engines: Engine...) -> Bool {
        switch ProcessInfo.processInfo.environment["FLEET"] {
        case "required": true
        case nil: false
        default: engines.allSatisfy { FileManager.default.isExecutableFile(atPath: $0.path) }
        }
    }

    static let missing: Comment = "it takes programs of others: make test-fleet"

    /// Runs a script of this folder in a laboratory's namespace to its end, and expects that it has found nothing wrong.
    @discardableResult
    static func script(
        _ name: String,
        _ arguments: [String],
        in lab: Lab,
        within duration: Duration = .seconds(600)
    ) throws -> String {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts/\(name)").path
        let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"]
        let process = try lab.start(Engine.python.path, [path] + arguments, environment: environment)
        let result = try process.wait(within: duration)
        try #require(result.status == .exited(0), "\(result.standardOutput)\n\(result.standardError)")
        #expect(result.standardOutput.hasSuffix("ok\n"))
        return result.standardOutput
    }
}
