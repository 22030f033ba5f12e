import Foundation
import PackagePlugin

/// The `tcpstates` tool.
struct Tool {
    private let url: URL

    init(_ context: PluginContext) throws {
        do { url = try context.tool(named: "tcpstates").url } catch { throw Missing() }
    }

    /// Runs it to its end: its exit status, or what a shell makes of a signal.
    func run(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        // Nothing is ever written to it: its end shows the tool that the plugin has gone.
        let input = Pipe()
        process.standardInput = input
        var environment = ProcessInfo.processInfo.environment
        environment["TCPSTATES_INPUT_IS_LIFE"] = "1"
        process.environment = environment
        try process.run()
        endWithParent()
        process.waitUntilExit()
        _ = input.fileHandleForWriting
        awaitReader()
        return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }

    /// Ends this process when the package manager does, however it does; the tool then ends too, with its input. Nothing
    /// wakes a process when its parent ends: so it polls twice a second.
    private func endWithParent() {
        let parent = getppid()
        let watch = Thread {
            while getppid() == parent { Thread.sleep(forTimeInterval: 0.5) }
            exit(1)
        }
        watch.start()
    }

    /// Waits, a second at most, until the package manager has read what the tool has written: it reads what this process
    /// has to say of it by another way, and would print that in the middle.
    private func awaitReader() {
        for _ in 0..<100 {
            var unread: Int32 = 0
            guard ioctl(STDOUT_FILENO, UInt(FIONREAD), &unread) == 0, unread > 0 else { break }
            usleep(10_000)
        }
        usleep(50_000)
    }

    private struct Missing: Error, CustomStringConvertible {
        let description = """
            the plugin needs the trait CommandLine of the package tcpstates: leave out "traits:" where the manifest \
            names the package, or add "CommandLine" to it
            """
    }
}
