internal import Glibc
internal import Synchronization
package import Testing

/// A laboratory: it puts sockets of the kernel into any TCP state and holds them there, in a network namespace of its own.
///
/// ```swift
/// let lab = try Lab.orCancel()
/// defer { lab.close() }
/// let client = try lab.client(in: .finWait2)                       // an active open, over IPv4
/// let server = try lab.server(in: .closeWait, over: .ipv6)         // the accepted child of a listener
/// try client.peer.send(.fin)                                       // FIN_WAIT_2 → TIME_WAIT
/// ```
///
/// The kernel's sockets are real. Their peer is not: it sits at the far end of a veth pair and sends the segments of
/// the script, so a state stays until the script goes on. Timers run, but give up only after many hours.
/// As everywhere, a TIME_WAIT ends 60 s after the peer's last segment, an orphan in FIN_WAIT_2 after 60 s, any other orphan
/// after about 100 s. The lab owns all that it makes, until ``close()``.
package final class Lab: Sendable {
    private struct Resources {
        var sockets: [KernelSocket] = []
        var children: [ChildProcess] = []
    }

    package let namespace: LabNamespace
    let wire: Wire
    private let resources = Mutex(Resources())

    /// A lab of its own.
    ///
    /// - Throws: ``LabError/Kind/notPermitted`` where the process may not make a network namespace.
    package init() throws(LabError) {
        namespace = try LabNamespace()
        wire = try namespace.run { () throws(LabError) in
            try Self.setDefaults()
            return try Wire()
        }
    }

    deinit { close() }

    /// A lab, or where the process may not make one the cancellation of the current test with the reason.
    package static func orCancel(sourceLocation: SourceLocation = #_sourceLocation) throws -> Lab {
        try cancelUnlessPermitted(sourceLocation: sourceLocation) { () throws(LabError) in try Lab() }
    }

    /// Ends children, connections and sockets, orphans and half-open requests too; the namespace then has nothing in it.
    package func close() {
        let all = resources.withLock { exchange(&$0, with: Resources()) }
        for child in all.children { child.end() }
        for socket in all.sockets { socket.abort() }
        wire.close()
    }

    /// Runs the closure in the namespace: sockets that it opens and processes that it starts belong there.
    package func run<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        try namespace.run(body)
    }

    /// Keeps a socket until the lab is closed.
    func keep(_ socket: KernelSocket) -> KernelSocket {
        resources.withLock { $0.sockets.append(socket) }
        return socket
    }

    func keep(_ child: ChildProcess) -> ChildProcess {
        resources.withLock { $0.children.append(child) }
        return child
    }
}

/// Runs the closure; where the process may not do that here, the current test is cancelled with the reason.
package func cancelUnlessPermitted<Value>(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws(LabError) -> Value
) throws -> Value {
    do {
        return try body()
    } catch {
        guard case .notPermitted = error.kind else { throw error }
        try Test.cancel(Comment(rawValue: error.description), sourceLocation: sourceLocation)
    }
}
