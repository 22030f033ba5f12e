internal import Glibc
internal import SockDiag
internal import Synchronization
internal import Testing

/// What is known when a socket is made. Each leaves errno as it was.
extension SocketLedger {
    /// The windows that the calling task belongs to. None for a test that is not looked at; nil where it is not known: on
    /// a thread of the program's own, such as an event loop's, and in a detached task.
    private static var maker: [LeakWindow]? {
        if let window = LeakWindow.current { return [window] }
        return Test.current == nil ? nil : []
    }

    /// A socket was made.
    func noteMade(_ descriptor: Int32) {
        note(descriptor) { state, cookie in
            if let maker = Self.maker { state.note(cookie, descriptor, in: maker) }
        }
    }

    /// A connection was begun: its own end is known from now on.
    func noteConnecting(_ descriptor: Int32) {
        note(descriptor) { state, cookie in
            guard let local = OwnDescriptor(number: descriptor).local, local.port != 0 else { return }
            state.connecting[local.unmapped] = cookie
        }
    }

    /// A connection was accepted: it belongs to whom its other end belongs to where that is here too, else to whom the
    /// listener does. And that other end, where nothing is known of it, to whom the listener does.
    func noteAccepted(_ descriptor: Int32, by listener: Int32) {
        note(descriptor) { state, cookie in
            let peer = OwnDescriptor(number: descriptor).remote?.unmapped
            let client = peer.flatMap { state.connecting.removeValue(forKey: $0) }
            let ends = [client, OwnDescriptor(number: listener).cookie]
            let known = ends.compactMap { $0.flatMap { state.holdings[$0]?.maker } }.first
            guard let maker = known ?? Self.maker else { return }
            state.note(cookie, descriptor, in: maker)
            if let client, state.holdings[client]?.maker == nil { state.holdings[client]?.maker = maker }
        }
    }

    private func note(_ descriptor: Int32, _ body: (inout State, SocketCookie) -> Void) {
        guard isWatching.load(ordering: .relaxed), descriptor >= 0 else { return }
        let before = errno
        defer { errno = before }
        let own = OwnDescriptor(number: descriptor)
        guard own.isTCP, let cookie = own.cookie else { return }
        withState { body(&$0, cookie) }
    }
}

extension SocketLedger.State {
    fileprivate mutating func note(_ cookie: SocketCookie, _ descriptor: Int32, in maker: [LeakWindow]) {
        var holding = holdings[cookie] ?? SocketLedger.Holding(cookie: cookie, pid: getpid(), suspects: [])
        holding.descriptor = OwnDescriptor(number: descriptor)
        holding.maker = maker
        holdings[cookie] = holding
    }
}

extension SocketEndpoint {
    /// The end as the other side names it, which may be of the other family.
    fileprivate var unmapped: SocketEndpoint { SocketEndpoint(address.unmapped, port: port, scope: scope) }
}
