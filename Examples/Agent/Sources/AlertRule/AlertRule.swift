import Synchronization
import TCPWatch

/// Prints a line for each connection that is in CLOSE_WAIT for longer than 60 seconds, or than its argument says.
@main
struct AlertRule {
    private static let rule = Mutex(CloseWaitRule())

    static func main() async throws {
        if let limit = CommandLine.arguments.dropFirst().first.flatMap(Int.init) {
            rule.withLock { $0.limit = .seconds(limit) }
        }
        var configuration = SocketWatcher.Configuration()
        configuration.source = .poll
        configuration.resolvesOwners = true
        let watcher = try SocketWatcher(configuration)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await event in watcher { rule.withLock { $0.handle(event) } }
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(1))
                    let alerts = rule.withLock { $0.alerts(at: .now()) }
                    for alert in alerts { print(text(alert)) }
                }
            }
            // Where watching ends, so does the agent.
            try await group.next()
            group.cancelAll()
        }
    }

    private static func text(_ alert: CloseWaitRule.Alert) -> String {
        let owners = alert.owners.isEmpty ? "nobody known" : alert.owners.map(\.description).joined(separator: " ")
        let age = alert.since.duration(to: .now()).components.seconds
        return "\(alert.identity.local) \(alert.identity.remote) is in CLOSE_WAIT for \(age) s, held by \(owners)"
    }
}
