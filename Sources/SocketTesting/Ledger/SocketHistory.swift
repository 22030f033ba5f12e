internal import SockDiag
internal import Synchronization
internal import TCPWatch

/// The steps of the sockets that are there, for the reader of a leak: how it came to its state. One watcher of the
/// process, and its thread, from the first window on.
final class SocketHistory: Sendable {
    private struct State {
        var watcher: SocketWatcher?
        var hasStarted = false
        var steps: [SocketCookie: [Transition]] = [:]
    }

    private let state = Mutex(State())
    /// A connection has a handful of steps; one that is used again and again has only these kept.
    private static let limit = 16

    subscript(cookie: SocketCookie) -> [Transition] { state.withLock { $0.steps[cookie] ?? [] } }

    /// Begins to watch, at the first call. Where the kernel refuses, leaks are found and their past is not known.
    func start() {
        let watcher = state.withLock { state -> SocketWatcher? in
            guard !state.hasStarted else { return nil }
            state.hasStarted = true
            var configuration = SocketWatcher.Configuration()
            configuration.interval = .milliseconds(50)
            configuration.usesDestroyEvents = false
            configuration.tellsExisting = false
            state.watcher = try? SocketWatcher(configuration)
            return state.watcher
        }
        if let watcher { listen(to: watcher) }
    }

    private func listen(to watcher: SocketWatcher) {
        watcher.receive { [weak watcher] events in
            guard !events.isEmpty, let watcher else { return }
            self.take(events)
            self.listen(to: watcher)
        }
    }

    private func take(_ events: [SocketEvent]) {
        state.withLock { state in
            for case .transition(let step) in events {
                guard step.to != .closed else {
                    state.steps[step.identity.cookie] = nil
                    continue
                }
                state.steps[step.identity.cookie, default: []].append(step)
                if state.steps[step.identity.cookie, default: []].count > Self.limit {
                    state.steps[step.identity.cookie]?.removeFirst()
                }
            }
        }
    }
}
