internal import Glibc
package import SockDiag
internal import Synchronization

/// Held while a program is started, and while a socket is closed.
///
/// Between its birth and its `execve`, a child has copies of all descriptors, close-on-exec or not: a close at that
/// moment would not be the last one, and the kernel would neither send a FIN nor orphan the socket.
let childBirth = Mutex(())

/// A socket of the kernel that the lab opened. Its descriptor does not block, but in a ``LoopbackPair``.
package final class KernelSocket: Sendable {
    private let owned: Descriptor
    /// The local endpoint, as the socket was bound.
    package let local: SocketEndpoint

    /// Takes over a bound or connected socket.
    init(_ descriptor: Descriptor, address: IPAddress, scope: NetworkInterface? = nil) throws(LabError) {
        owned = descriptor
        local = SocketEndpoint(address, port: try descriptor.localPort(), scope: scope)
    }

    /// The descriptor; nil once closed.
    package var descriptor: Int32? { owned.rawValue }

    /// The state that `TCP_INFO` answers: for a bound socket, and for the closed one beside a TIME_WAIT, that is CLOSED.
    package func state() throws(LabError) -> TCPState {
        TCPState(rawValue: try owned.option(Int32(IPPROTO_TCP), TCP_INFO, UInt8(0), "TCP_INFO"))
    }

    /// The error that waits for the program, as an errno, or 0; asking takes it away (`SO_ERROR`).
    package func takeError() throws(LabError) -> Int32 { try owned.option(SOL_SOCKET, SO_ERROR, Int32(0), "SO_ERROR") }

    /// The kernel's name for the socket (`SO_COOKIE`).
    package func cookie() throws(LabError) -> SocketCookie {
        SocketCookie(rawValue: try owned.option(SOL_SOCKET, SO_COOKIE, UInt64(0), "SO_COOKIE"))
    }

    /// The socket's inode, as in the `socket:[…]` of /proc/self/fd.
    package func inode() throws(LabError) -> UInt64 {
        var status = stat()
        try owned.call("fstat") { fstat($0, &status) }
        return UInt64(status.st_ino)
    }

    /// Ends sending: a FIN goes out behind what is queued (`shutdown(SHUT_WR)`).
    package func shutDown() throws(LabError) {
        try owned.call("shutdown(SHUT_WR)") { Glibc.shutdown($0, Int32(SHUT_WR)) }
    }

    /// Closes the descriptor; what is left of the connection is an orphan.
    package func close() { childBirth.withLock { _ in owned.close() } }

    /// Closes the descriptor and leaves nothing behind: a connection ends by a RST (`SO_LINGER` of 0).
    package func abort() {
        try? owned.setOption(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0), "SO_LINGER")
        close()
    }

    @discardableResult
    func call<Result: SignedInteger>(_ operation: String, _ body: (Int32) -> Result) throws(LabError) -> Result {
        try owned.call(operation, body)
    }
}
