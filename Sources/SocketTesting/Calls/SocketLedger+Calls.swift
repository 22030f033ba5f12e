internal import LinuxLibC
internal import SockDiag
internal import SocketLeaks
internal import Synchronization
internal import TCPWatch
internal import Testing

/// What is known when a socket is made. Each leaves errno as it was.
extension SocketLedger {
    /// Whose the calling task is. Nobody's in a test that is not checked; nil where it is not known: on a thread of the
    /// program's own, such as an event loop's, in a detached task, and in what a suite shares.
    private static var caller: Attribution? {
        if let scope = LeakScope.current { return .maker(scope) }
        return Test.current?.isSuite == false ? .maker(nil) : nil
    }

    /// A socket was made.
    func noteMade(_ descriptor: Int32) {
        note(descriptor) { accounts, cookie in accounts.noteMade(cookie, by: Self.caller) }
    }

    /// A connection was begun.
    func noteConnecting(_ descriptor: Int32, to peer: SocketEndpoint?) {
        note(descriptor) { accounts, cookie in
            accounts.noteConnecting(cookie, from: OwnDescriptor(number: descriptor).local, to: peer)
        }
    }

    /// A connection was accepted.
    func noteAccepted(_ descriptor: Int32, by listener: Int32) {
        note(descriptor) { accounts, cookie in
            let own = OwnDescriptor(number: descriptor)
            let listener = OwnDescriptor(number: listener).cookie
            accounts.noteAccepted(cookie, from: listener, at: own.local, of: own.remote, by: Self.caller)
        }
    }

    private func note(_ descriptor: Int32, _ body: (inout SocketAccounts, SocketCookie) -> Void) {
        guard isWatching.load(ordering: .relaxed), descriptor >= 0 else { return }
        let before = errno
        defer { errno = before }
        let own = OwnDescriptor(number: descriptor)
        guard own.isTCP, let cookie = own.cookie else { return }
        withState { state in
            state.accounts.see(cookie, heldBy: own.holder, at: .now())
            body(&state.accounts, cookie)
        }
    }
}
