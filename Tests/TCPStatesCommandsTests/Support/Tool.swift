import Foundation
import Glibc

/// The binary that the package builds, run as a user would.
struct Tool {
    /// What a run left.
    struct Result {
        var status: Int32
        /// The signal that ended it; 0 where none did.
        var signal: Int32
        var output: String
        var errors: String
    }

    /// It lies beside the test runner.
    static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "tcpstates").path

    /// Runs it, or a program that runs it, and waits. A variable that is nil is taken out of the environment.
    static func run(
        _ arguments: [String],
        program: String = path,
        environment: [String: String?] = [:],
        output: FileHandle? = nil
    ) throws -> Result {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        var variables = ProcessInfo.processInfo.environment
        for name in ["COLUMNS", "NO_COLOR"] { variables[name] = nil }
        for (name, value) in environment { variables[name] = value }
        process.environment = variables
        let (out, errors) = (Pipe(), Pipe())
        process.standardOutput = output ?? out
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // What it says on standard error is a line: it cannot fill the pipe while the output is read.
        let text = output == nil ? try out.fileHandleForReading.readToEnd() ?? Data() : Data()
        let complaint = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let wasSignalled = process.terminationReason == .uncaughtSignal
        return Result(
            status: wasSignalled ? 0 : process.terminationStatus,
            signal: wasSignalled ? process.terminationStatus : 0,
            output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: complaint, as: UTF8.self)
        )
    }
}
