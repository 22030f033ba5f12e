import Foundation
import PackagePlugin

/// `swift package tcpstates-test …`: builds the tests, and has the tool run and watch them.
@main struct TCPStatesTest: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) throws {
        let tool = try Tool(context)
        var options: [String] = []
        if !arguments.contains(where: { ["-h", "--help"].contains($0) }) {
            let parameters = PackageManager.BuildParameters(configuration: .debug, logging: .concise, echoLogs: true)
            guard try packageManager.build(.all(includingTests: true), parameters: parameters).succeeded else {
                return Diagnostics.error("the tests could not be built")
            }
            // .build/plugins/tcpstates-test/outputs
            let scratch = context.pluginWorkDirectoryURL.deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            options = [
                "--swift", try context.tool(named: "swift").url.path,
                "--package-path", context.package.directoryURL.path,
                "--built-in", scratch.path,
            ]
        }
        switch try tool.run(["swift-test"] + options + arguments) {
        case 0: break
        case 3: Diagnostics.error("sockets leaked")
        case 64: Diagnostics.error("wrong usage")
        case let status: Diagnostics.error("the tests failed with status \(status)")
        }
    }
}
