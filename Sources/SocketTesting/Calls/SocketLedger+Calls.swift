internal import Glibc
internal import SockDiag
internal import Synchronization
internal import TCPWatch
internal import Testing

/// What is known when a socket is made. Each leaves errno as it was.
extension SocketLedger {
    /// The windows that the calling task belongs to. None for a test that is not looked at; nil where it is not known: on
    /// a thread of the program's own, such as an event loop's, in a detached task, and in what a suite shares.
    private static var maker: [LeakWindow]? {
        if let window = LeakWindow.current { return [window] }
        return Test.current?.isSuite == false ? [] : nil
    }

    /// A socket was made.
    func noteMade(_ descriptor: Int32) {
        note(descriptor) { state, cookie in state.holdings[cookie]?.maker = Self.maker }
    }

    /// A connection was begun: its own end is known from now on.
    func noteConnecting(_ descriptor: Int32, to peer: SocketEndpoint?) {
        note(descriptor) { state, cookie in
            state.holdings[cookie]?.side = .active
            state.holdings[cookie]?.peer = peer
            if let client = OwnDescriptor(number: descriptor).local, let peer {
                state.join(cookie, SocketLedger.Connection(client: client, server: peer))
            }
        }
    }

    /// A connection was accepted: it is the listener's, as far as that is known.
    func noteAccepted(_ descriptor: Int32, by listener: Int32) {
        note(descriptor) { state, cookie in
            let server = OwnDescriptor(number: listener).cookie.flatMap { state.holdings[$0]?.maker }
            let client = OwnDescriptor(number: descriptor).remote
            state.holdings[cookie]?.side = .passive
            state.holdings[cookie]?.maker = server ?? Self.maker
            state.holdings[cookie]?.peer = client
            if let client, let local = OwnDescriptor(number: descriptor).local {
                state.join(cookie, SocketLedger.Connection(client: client, server: local))
            }
        }
    }

    private func note(_ descriptor: Int32, _ body: (inout State, SocketCookie) -> Void) {
        guard isWatching.load(ordering: .relaxed), descriptor >= 0 else { return }
        let before = errno
        defer { errno = before }
        let own = OwnDescriptor(number: descriptor)
        guard own.isTCP, let cookie = own.cookie else { return }
        withState { state in
            state.see(cookie, getpid(), own)
            body(&state, cookie)
        }
    }
}

extension SocketLedger {
    /// A connection by both of its ends. One of them is not enough: clients of several servers may have the same port.
    struct Connection: Hashable {
        private let client: SocketEndpoint
        private let server: SocketEndpoint

        /// Whichever end they are told of by, and in whichever family. Who connects to no address is connected to its own.
        init(client: SocketEndpoint, server: SocketEndpoint) {
            self.client = SocketEndpoint(client.address.unmapped, port: client.port)
            let address = server.address.isAny ? client.address : server.address
            self.server = SocketEndpoint(address.unmapped, port: server.port)
        }
    }
}

extension SocketLedger.State {
    /// Both ends of a connection within this process belong to whom the client's belongs to, else to whom the server's
    /// does. Which end is noted first depends on the threads.
    fileprivate mutating func join(_ cookie: SocketCookie, _ connection: SocketLedger.Connection) {
        guard let other = halves.removeValue(forKey: connection), other != cookie, let half = holdings[other],
            let whole = holdings[cookie]
        else { return halves[connection] = cookie }
        let (client, server) = whole.side == .active ? (whole, half) : (half, whole)
        guard let maker = client.maker ?? server.maker else { return }
        for end in [cookie, other] { holdings[end]?.maker = maker }
    }
}
