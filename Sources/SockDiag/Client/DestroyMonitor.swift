internal import CMnl
internal import LinuxLibC

/// The kernel's messages about TCP sockets that it has just destroyed, each with the socket's final ``TCPInfo``.
///
/// They need no privilege, and come from the network namespace of the thread that made the monitor. A message names a
/// socket by its cookie; its inode and uid are 0 by then, and after an abort its endpoints are cleared too. There is one
/// for every full socket: connections, listeners, and sockets that were never used. There is none for a half-open
/// request that is dropped, nor for the end of a TIME_WAIT. On an active close the message comes when the TIME_WAIT
/// begins: ``SockDiagClient/socket(_:extensions:)`` finds it under the same cookie.
///
/// What it costs: about 7 µs of the machine for each socket that ends, while anybody listens. A message takes 1.3 KB of
/// the receive buffer until it is read.
///
/// Source: `SKNLGRP_INET_TCP_DESTROY` of `<linux/sock_diag.h>` (kernel 4.2), `sock_diag_broadcast_destroy()`.
public struct DestroyMonitor: ~Copyable {
    private let netlink: NetlinkSocket
    private let buffer: UnsafeMutableRawBufferPointer
    /// `/proc/net/netlink` of the monitor's namespace; -1 where it cannot be read.
    private let statistics: Int32
    /// A TCP socket of the monitor's namespace that is never used; -1 where there is none, and once it is closed.
    private var marker: Int32

    /// The receive buffer's size, bytes, with the kernel's overhead; for about as many messages as 1280 goes into it.
    public let receiveBufferSize: Int

    /// Room for the messages of some 13,000 sockets, where privilege or `net.core.rmem_max` allow.
    public static let defaultReceiveBufferSize = 16 << 20

    /// Joins the groups of both families in the calling thread's network namespace. What is destroyed from now on is
    /// queued for ``receive(_:)``.
    ///
    /// - Throws: ``KernelError``.
    public init(receiveBufferSize: Int = defaultReceiveBufferSize) throws(KernelError) {
        let groups: UInt32 =
            1 << (SKNLGRP_INET_TCP_DESTROY.rawValue - 1) | 1 << (SKNLGRP_INET6_TCP_DESTROY.rawValue - 1)
        netlink = try NetlinkSocket(groups: groups)
        self.receiveBufferSize = Int(netlink.setReceiveBuffer(Int32(clamping: receiveBufferSize)))
        buffer = .allocate(byteCount: 32 * 1024, alignment: 16)
        statistics = open("/proc/thread-self/net/netlink", O_RDONLY | O_CLOEXEC)
        marker = socket(AF_INET, SocketType.stream | SocketType.closeOnExec, 0)
    }

    deinit {
        buffer.deallocate()
        if statistics >= 0 { close(statistics) }
        if marker >= 0 { close(marker) }
    }

    /// Closes a socket of the monitor's own: the message about it comes after those about what was destroyed before, for a
    /// worker of the kernel's sends them, which may have to wait for a processor. Works once.
    ///
    /// - Returns: The socket's cookie; nil where there is no such socket.
    package mutating func mark() -> SocketCookie? {
        guard marker >= 0 else { return nil }
        var cookie: UInt64 = 0
        var length = socklen_t(MemoryLayout.size(ofValue: cookie))
        let isKnown = getsockopt(marker, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0
        close(marker)
        marker = -1
        return isKnown ? SocketCookie(rawValue: cookie) : nil
    }

    /// The netlink socket's descriptor, readable while messages wait: for `poll(2)`.
    public var descriptor: Int32 { netlink.descriptor }

    /// Reads the messages that wait, and calls `body` with each socket; does not wait for more.
    ///
    /// - Returns: whether messages were lost since the last call, as the buffer was full; ``lostCount`` counts them.
    /// - Throws: ``KernelError``.
    public mutating func receive(
        _ body: (borrowing SocketRecord) throws(KernelError) -> Void
    ) throws(KernelError) -> Bool {
        try receive(atMost: .max, body)
    }

    /// The same, of so many messages at most.
    package mutating func receive(
        atMost limit: Int,
        _ body: (borrowing SocketRecord) throws(KernelError) -> Void
    ) throws(KernelError) -> Bool {
        let operation = "receive the kernel's messages about destroyed sockets"
        var lost = false
        for _ in 0..<limit {
            let count: Int?
            do throws(KernelError) {
                count = try netlink.receive(into: buffer, flags: Int32(MSG_DONTWAIT), operation: operation)
            } catch  where error.errno == ENOBUFS {
                lost = true
                continue
            }
            guard let count else { return lost }
            var reply = Reply(type: UInt16(SOCK_DIAG_BY_FAMILY), sequence: 0, operation: operation)
            var failure: KernelError?
            _ = try reply.read(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes) { record in
                do throws(KernelError) { try body(record) } catch { failure = error }
            }
            if let failure { throw failure }
        }
        return lost
    }

    /// The exact number of messages that were lost since the monitor was made: the `Drops` of `/proc/net/netlink`. Nil where
    /// that cannot be read.
    public var lostCount: UInt64? {
        guard statistics >= 0 else { return nil }
        var text = [UInt8](repeating: 0, count: 64 * 1024)
        var length = 0
        while length < text.count {
            let count = text.withUnsafeMutableBytes {
                pread(statistics, $0.baseAddress.map { $0 + length }, $0.count - length, off_t(length))
            }
            guard count > 0 else { break }
            length += count
            if length == text.count { text += [UInt8](repeating: 0, count: text.count) }
        }
        for line in text[..<length].split(separator: UInt8(ascii: "\n")) {
            // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
            let columns = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard columns.count >= 9, columns[1] == "\(NETLINK_SOCK_DIAG)", columns[2] == "\(netlink.portID)" else {
                continue
            }
            return UInt64(columns[8])
        }
        return nil
    }
}

// Safe: the descriptors and the buffer belong to this value alone, and every use of the buffer is mutating.
extension DestroyMonitor: @unchecked Sendable {}
