public import SockDiag
internal import TCPWatch
public import Testing

/// Waits until a TCP socket reaches a state, and records an issue where none does in time.
///
/// ```swift
/// @Test func `The server notices that its client has gone`() async throws {
///     let server = try await Server.start()
///     let client = try await Client(port: server.port)
///     try await client.close()
///     try await expectState(.closeWait, of: .localPort == server.port, within: .seconds(2))
/// }
/// ```
///
/// It watches the sockets of the calling thread's network namespace, of whatever process, and returns as soon as one that
/// the filter finds is in the state, is there already, or has passed through it since the call.
///
/// - Parameters:
///   - states: the states one of which is awaited. ``/SockDiag/TCPStateSet/closed`` is the end of a connection.
///   - filter: which sockets.
///   - limit: how long to wait.
///   - sourceLocation: where an issue is recorded.
/// - Throws: ``/SockDiag/KernelError`` where the sockets cannot be watched, `CancellationError`.
public func expectState(
    _ states: TCPStateSet,
    of filter: SocketFilter,
    within limit: Duration = .seconds(5),
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    if let failure = try await StateExpectation(states: states, filter: filter, limit: limit).failure() {
        Issue.record(Comment(rawValue: failure), sourceLocation: sourceLocation)
    }
}

/// A state that is awaited.
package struct StateExpectation: Sendable {
    private let states: TCPStateSet
    private let filter: SocketFilter
    private let limit: Duration

    package init(states: TCPStateSet, filter: SocketFilter, limit: Duration) {
        (self.states, self.filter, self.limit) = (states, filter, limit)
    }

    /// Waits. Returns in words what was seen instead, nil where the state was reached.
    package func failure() async throws -> String? {
        var configuration = SocketWatcher.Configuration()
        configuration.filter = filter
        configuration.interval = .milliseconds(10)
        // A test means the same to root and to everybody else, and begins at once.
        configuration.source = .poll
        let watcher = try SocketWatcher(configuration)
        let timer = Task {
            try await Task.sleep(for: limit)
            watcher.stop()
        }
        defer { timer.cancel() }
        var seen: [SocketIdentity: TCPState] = [:]
        for try await event in watcher {
            switch event {
            case .socket(let socket):
                if states.contains(socket.state) { return nil }
                seen[socket.identity] = socket.state
            case .transition(let transition):
                // The end of a socket that may be another one.
                guard transition.undecided.isEmpty else { break }
                if (transition.via + [transition.to]).contains(where: states.contains) { return nil }
                seen[transition.identity] = transition.to
            case .ready, .gap, .slowed, .retransmission: break
            }
        }
        try Task.checkCancellation()
        return description(of: seen)
    }

    private func description(of seen: [SocketIdentity: TCPState]) -> String {
        let limit = 10
        var lines = ["no socket that \"\(filter)\" finds was in \(states) within \(self.limit)"]
        lines += seen.map { "  \($1) \($0.local) \($0.remote)" }.sorted().prefix(limit)
        if seen.isEmpty { lines[0] += "; it found none at all" }
        if seen.count > limit { lines.append("  and \(seen.count - limit) more") }
        return lines.joined(separator: "\n")
    }
}
