internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
internal import SocketLeaks

/// One of this process' descriptors, asked directly: that costs a microsecond, works in any network namespace, and finds
/// a TCP socket that the kernel lists no more because its connection was reset.
struct OwnDescriptor {
    let number: Int32

    init(number: Int32) { self.number = number }

    /// The first of these holders that is this process; nil where none is.
    init?(of holders: [SocketHolder]) {
        let own = holders.lazy.filter { $0.process == OwnProcess.identity }
        guard let number = own.compactMap(\.owner.descriptor).first else { return nil }
        self.init(number: number)
    }

    /// This process by it, as the holder of a socket.
    var holder: SocketHolder {
        let owner = SocketOwner(pid: OwnProcess.identity.pid, name: OwnProcess.name, descriptor: number)
        return SocketHolder(owner, of: OwnProcess.identity)
    }

    /// Every descriptor of this process.
    static func forEach(_ body: (OwnDescriptor) -> Void) throws(KernelError) {
        do throws(Errno) { try Directory("/proc/self/fd").forEachNumber { body(OwnDescriptor(number: $0)) } } catch {
            throw KernelError(
                error.isRefusal ? .permissionDenied : .system,
                errno: error.rawValue,
                operation: "list this process' descriptors",
                remedy: error.isGone ? "mount it: mount -t proc proc /proc" : ""
            )
        }
    }

    /// The kernel's name of the socket; nil for anything but a socket (`SO_COOKIE`, kernel 4.12).
    var cookie: SocketCookie? {
        (option(SOL_SOCKET, SO_COOKIE) as UInt64?).map { SocketCookie(rawValue: $0) }
    }

    /// Whether it is a TCP socket, or an MPTCP one (`SO_PROTOCOL`).
    var isTCP: Bool {
        (option(SOL_SOCKET, SO_PROTOCOL) as Int32?).map { [6, 262].contains(UInt16(truncatingIfNeeded: $0)) } ?? false
    }

    /// What can be had of the socket without the kernel's list, with the peer that it was connected to.
    func socket(_ known: SocketIdentity) -> InetSocket? {
        guard cookie == known.cookie, let local else { return nil }
        let info: UInt8? = option(Int32(IPPROTO_TCP), TCP_INFO)  // tcpi_state is the first byte
        let nobody = SocketEndpoint(local.address.family == .ipv6 ? .anyIPv6 : .anyIPv4, port: 0)
        let identity = SocketIdentity(
            family: local.address.family,
            local: local,
            remote: remote ?? (known.remote.port == 0 ? nobody : known.remote),
            cookie: known.cookie
        )
        var status = stat()
        fstat(number, &status)
        return InetSocket(
            identity,
            state: info.map { TCPState(rawValue: $0) } ?? .closed,
            uid: status.st_uid,
            inode: UInt32(truncatingIfNeeded: status.st_ino)
        )
    }

    /// The local endpoint.
    var local: SocketEndpoint? { endpoint(getsockname) }

    /// The peer's endpoint.
    var remote: SocketEndpoint? { endpoint(getpeername) }

    /// The start of an option's value.
    private func option<Value: FixedWidthInteger>(_ level: Int32, _ name: Int32) -> Value? {
        var value: Value = 0
        var length = socklen_t(MemoryLayout<Value>.size)
        return getsockopt(number, level, name, &value, &length) == 0 ? value : nil
    }

    private typealias AddressCall = (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32

    private func endpoint(_ call: AddressCall) -> SocketEndpoint? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                call(number, address, &length) == 0 ? SocketEndpoint(address, length) : nil
            }
        }
    }
}

extension SocketEndpoint {
    /// What a system call is given or gives; nil for another family than IP.
    init?(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
        guard length >= MemoryLayout<sa_family_t>.size else { return nil }
        let bytes = UnsafeRawPointer(address)
        switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET where length >= MemoryLayout<sockaddr_in>.size:
            let address = bytes.loadUnaligned(as: sockaddr_in.self)
            let bits = UInt32(bigEndian: address.sin_addr.s_addr)
            self.init(IPAddress(ipv4: bits), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            let address = bytes.loadUnaligned(as: sockaddr_in6.self)
            let (high, low) = withUnsafeBytes(of: address.sin6_addr) {
                ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            let scope = address.sin6_scope_id
            self.init(
                IPAddress(ipv6: UInt64(bigEndian: high), UInt64(bigEndian: low)),
                port: UInt16(bigEndian: address.sin6_port),
                scope: scope == 0 ? nil : NetworkInterface(rawValue: scope)
            )
        default: return nil
        }
    }
}

/// This process, as it holds sockets: found out once, because every call that makes a socket asks for it.
///
/// A process forked from it without `exec` would have another identity; the tests of such a one are not known anyway.
enum OwnProcess {
    static let identity: ProcessIdentity = {
        let known = try? ProcessIdentity(of: getpid(), in: ProcessDirectory())
        // Without /proc no descriptors are listed either.
        return known ?? ProcessIdentity(pid: getpid(), startTime: 0)
    }()

    static let name = (try? ProcessDirectory())?.name(of: identity.pid) ?? ProcessName("")
}
