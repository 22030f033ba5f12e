internal import Dispatch
internal import SockDiag
internal import SocketLeaks
internal import TCPWatch

/// The transitions of the sockets that are there, for the reader of a leak: how it came to its state. One watcher, with its
/// thread, from the first scope to the end of the process.
final class SocketHistory: Sendable {
    private struct State {
        var watcher: SocketWatcher?
        var isStarted = false
        var transitions: [SocketCookie: TransitionHistory] = [:]
    }

    private let state = Locked(State())
    /// Open when the sockets that existed are known, or never will be.
    private let readiness = DispatchSemaphore(value: 0)

    /// The transitions of a socket that has not ended, in their order.
    subscript(cookie: SocketCookie) -> [Transition] { state.withLock { $0.transitions[cookie]?.all ?? [] } }

    /// Begins to watch, at the first call, and returns when the sockets that exist are known: what comes then is new.
    /// Where the kernel refuses, leaks are found and their past is not known.
    func start() {
        let watcher = state.withLock { state -> SocketWatcher? in
            guard !state.isStarted else { return nil }
            state.isStarted = true
            var configuration = SocketWatcher.Configuration()
            configuration.interval = .milliseconds(50)
            // A test means the same to root and to everybody else, and begins at once.
            configuration.source = .poll
            // Nothing is reported of what has ended.
            configuration.usesDestroyEvents = false
            configuration.reportsExisting = false
            state.watcher = try? SocketWatcher(configuration)
            if state.watcher == nil { readiness.signal() }
            return state.watcher
        }
        watcher?.receive { [weak watcher] _ in  // ready, or a failure
            self.readiness.signal()
            if let watcher { self.listen(to: watcher) }
        }
        // Whoever comes at the same time waits too.
        readiness.wait()
        readiness.signal()
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
            for case .transition(let transition) in events {
                let cookie = transition.identity.cookie
                guard transition.to != .closed else {
                    state.transitions[cookie] = nil
                    continue
                }
                state.transitions[cookie, default: TransitionHistory()].append(transition)
            }
        }
    }
}
