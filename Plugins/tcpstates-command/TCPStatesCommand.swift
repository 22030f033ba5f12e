import Foundation
import PackagePlugin

/// `swift package tcpstates …`: the command line.
@main struct TCPStatesCommand: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) throws {
        let status = try Tool(context).run(arguments)
        if status != 0 { Diagnostics.error("tcpstates ended with status \(status)") }
    }
}
