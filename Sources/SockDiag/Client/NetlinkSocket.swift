internal import CMnl
internal import LinuxLibC

/// A netlink socket of the family `NETLINK_SOCK_DIAG`, closed with the value that owns it.
struct NetlinkSocket: ~Copyable {
    private let handle: OpaquePointer

    /// The file descriptor.
    var descriptor: Int32 { mnl_socket_get_fd(handle) }

    /// Opens and binds a socket in the calling thread's network namespace, and joins multicast groups: bit *n*−1 for
    /// group *n*.
    init(groups: UInt32 = 0) throws(KernelError) {
        let operation = "open a netlink socket"
        guard let handle = mnl_socket_open2(NETLINK_SOCK_DIAG, SocketType.closeOnExec) else {
            throw KernelError(errno: errno, operation: operation)
        }
        guard mnl_socket_bind(handle, groups, MNL_SOCKET_AUTOPID) == 0 else {
            let failure = KernelError(errno: errno, operation: operation)
            mnl_socket_close(handle)
            throw failure
        }
        self.handle = handle
        // Errors in the kernel's own words, and without an echo of the request. Kernels before 4.12 have neither.
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        mnl_socket_setsockopt(handle, NETLINK_EXT_ACK, &on, size)
        mnl_socket_setsockopt(handle, NETLINK_CAP_ACK, &on, size)
    }

    /// Takes over a socket that is open already: netlink's, or one whose other end plays the kernel's part.
    init(adopting descriptor: Int32) throws(KernelError) {
        guard let handle = mnl_socket_fdopen(descriptor) else {
            throw KernelError(errno: errno, operation: "adopt a netlink socket")
        }
        self.handle = handle
    }

    deinit { mnl_socket_close(handle) }

    /// The address that the kernel knows the socket by (`nl_pid`).
    var portID: UInt32 { mnl_socket_get_portid(handle) }

    /// Asks for a receive buffer of so many bytes, above the limit of `net.core.rmem_max` where privilege allows.
    /// The receive buffer's size now, bytes, with the kernel's overhead.
    func setReceiveBuffer(_ bytes: Int32) -> Int32 {
        var bytes = bytes
        let size = socklen_t(MemoryLayout<Int32>.size)
        if setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, size) != 0 {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, size)
        }
        var granted: Int32 = 0
        var grantedSize = size
        getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &granted, &grantedSize)
        return granted
    }

    /// Sends one message to the kernel.
    func send(_ message: [UInt8], operation: String) throws(KernelError) {
        while mnl_socket_sendto(handle, message, message.count) < 0 {
            guard errno == EINTR else { throw KernelError(errno: errno, operation: operation) }
        }
    }

    /// Receives one datagram of the kernel; what a stranger sent is passed over. Nil where there is none and `flags`
    /// say not to wait.
    func receive(
        into buffer: UnsafeMutableRawBufferPointer,
        flags: Int32 = 0,
        operation: String
    ) throws(KernelError) -> Int? {
        while true {
            var sender = sockaddr_nl()
            var senderSize = socklen_t(MemoryLayout<sockaddr_nl>.size)
            // Not mnl_socket_recvfrom: it keeps the sender to itself.
            let count = withUnsafeMutablePointer(to: &sender) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    let flags = flags | Int32(MSG_TRUNC)
                    return recvfrom(descriptor, buffer.baseAddress, buffer.count, flags, address, &senderSize)
                }
            }
            guard count >= 0 else {
                switch errno {
                case EINTR: continue
                case EAGAIN where flags & Int32(MSG_DONTWAIT) != 0: return nil
                default: throw KernelError(errno: errno, operation: operation)
                }
            }
            guard sender.nl_pid == 0 else { continue }
            guard count <= buffer.count else {
                throw KernelError(
                    .malformedReply,
                    operation: operation,
                    detail: "a datagram of \(count) bytes does not fit the buffer of \(buffer.count)"
                )
            }
            return count
        }
    }
}

// Safe: the handle is not changed after init, and each use of it is one system call.
extension NetlinkSocket: @unchecked Sendable {}
