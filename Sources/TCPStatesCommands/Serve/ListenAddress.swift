internal import ArgumentParser
internal import LinuxLibC
internal import SockDiag

/// Where a server listens, as a command line has it.
enum ListenAddress: Equatable, ExpressibleByArgument {
    case tcp(IPAddress, scope: UInt32 = 0, port: UInt16)
    case unix(String)
    /// The sockets that systemd has opened (`sd_listen_fds(3)`).
    case activated

    /// 19293 is nobody else's among the exporters.
    static let usual = ListenAddress.tcp(IPAddress(ipv4: 0x7f00_0001), port: 19293)

    /// Reads `127.0.0.1:19293`, `[::1]:19293`, `[fe80::1%eth0]:19293`, `unix:/run/tcpstates.sock` and `fd`; nil for anything else.
    init?(argument: String) {
        if argument == "fd" {
            self = .activated
        } else if argument.hasPrefix("unix:") {
            let path = String(argument.dropFirst(5))
            // An abstract one is everybody's, and has no file that says whose.
            guard !path.isEmpty, !path.hasPrefix("@") else { return nil }
            self = .unix(path)
        } else {
            guard let colon = argument.lastIndex(of: ":"),
                let port = UInt16(argument[argument.index(after: colon)...])
            else { return nil }
            let host = argument[..<colon]
            let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
            let words = (isBracketed ? host.dropFirst().dropLast() : host).split(separator: "%", maxSplits: 1)
            guard let word = words.first, let address = IPAddress(String(word)),
                isBracketed == (address.family == .ipv6)
            else { return nil }
            let scope = words.dropFirst().first.map { if_nametoindex(String($0)) }
            guard scope != 0, scope == nil || isBracketed else { return nil }
            self = .tcp(address, scope: scope ?? 0, port: port)
        }
    }

    /// Reads the word of a command line.
    init(word: String) throws {
        guard let address = Self(argument: word) else {
            throw ValidationError(
                "no address to listen at '\(word)'; there are 127.0.0.1:19293, [::1]:19293, unix:/run/tcpstates.sock, fd"
            )
        }
        self = address
    }
}

/// A socket that listens, and who may ask there.
struct Listening {
    enum Reach: Equatable {
        /// Who may open the file: its owner alone.
        case owner
        /// Who may open the file, and that is not its owner alone.
        case file
        /// Every user of this machine.
        case machine
        /// Whoever reaches the address.
        case network
    }

    let descriptor: Int32
    let isTCP: Bool
    let reach: Reach
    /// As a client is told it: `http://127.0.0.1:19293`, `unix:/run/tcpstates.sock`.
    let name: String
    /// The file that is to be removed at the end; nil where there is none of ours.
    let path: String?

    /// Opens what an address asks for.
    static func open(_ address: ListenAddress) throws(CommandFailure) -> [Listening] {
        switch address {
        case .tcp(let address, let scope, let port): [try listen(at: address, scope, port)]
        case .unix(let path): [try listen(at: path)]
        case .activated: try activated()
        }
    }

    /// Removes the file of a UNIX socket.
    func removeFile() { if let path { unlink(path) } }

    private static func listen(at address: IPAddress, _ scope: UInt32, _ port: UInt16) throws(CommandFailure)
        -> Listening
    {
        let isIPv6 = address.family == .ipv6
        let name = isIPv6 ? "[\(address)\(scope == 0 ? "" : "%\(scope)")]" : "\(address)"
        let socket = try makeSocket(isIPv6 ? AF_INET6 : AF_INET, "\(name):\(port)")
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, size)
        if isIPv6 { setsockopt(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size) }
        var (v4, v6) = (sockaddr_in(), sockaddr_in6())
        v4.sin_family = sa_family_t(AF_INET)
        v4.sin_port = port.bigEndian
        v4.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.low).bigEndian
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_port = port.bigEndian
        v6.sin6_scope_id = scope
        withUnsafeMutableBytes(of: &v6.sin6_addr) { bytes in
            bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        let status = isIPv6 ? bind(socket, to: &v6) : bind(socket, to: &v4)
        try begin(socket, status, "\(name):\(port)")
        let actual = withUnsafeMutablePointer(to: &v6) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
                return getsockname(socket, pointer, &size)
            }
        }
        // The port is at the same place in both.
        let number = actual == 0 ? UInt16(bigEndian: v6.sin6_port) : port
        return Listening(
            descriptor: socket,
            isTCP: true,
            reach: address.isLoopback ? .machine : .network,
            name: "http://\(name):\(number)",
            path: nil
        )
    }

    private static func listen(at path: String) throws(CommandFailure) -> Listening {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            guard path.utf8.count < bytes.count, !path.utf8.contains(0) else { return false }
            bytes.copyBytes(from: path.utf8)
            return true
        }
        guard fits else { throw CommandFailure("cannot listen at unix:\(path): the path is too long for a socket") }
        let socket = try makeSocket(AF_UNIX, "unix:\(path)")
        // One that a server has left, and that nobody answers at.
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK {
            let probe = try makeSocket(AF_UNIX, "unix:\(path)")
            if connect(probe, to: &address) != 0, errno == ECONNREFUSED { unlink(path) }
            close(probe)
        }
        // From its first moment on nobody else may open it.
        let mask = umask(0o177)
        let result = bind(socket, to: &address)
        umask(mask)
        try begin(socket, result, "unix:\(path)")
        return Listening(descriptor: socket, isTCP: false, reach: .owner, name: "unix:\(path)", path: path)
    }

    private static func makeSocket(_ family: Int32, _ name: String) throws(CommandFailure) -> Int32 {
        let type = SocketType.stream | SocketType.closeOnExec | SocketType.nonBlocking
        let socket = socket(family, type, 0)
        guard socket >= 0 else { throw CommandFailure("cannot listen at \(name)", errno: errno) }
        return socket
    }

    private static func begin(_ socket: Int32, _ bound: Int32, _ name: String) throws(CommandFailure) {
        guard bound == 0, LinuxLibC.listen(socket, 128) == 0 else {
            let failure = errno
            close(socket)
            throw CommandFailure("cannot listen at \(name)", errno: failure)
        }
    }

    /// The sockets from descriptor 3 on, as the environment counts them.
    private static func activated() throws(CommandFailure) -> [Listening] {
        func number(_ name: String) -> Int32? { getenv(name).flatMap { Int32(String(cString: $0)) } }
        guard number("LISTEN_PID") == getpid(), let count = number("LISTEN_FDS"), count > 0 else {
            throw CommandFailure("cannot listen at fd: no socket was passed; it takes a systemd socket unit")
        }
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        var all: [Listening] = []
        for descriptor in 3..<3 + min(count, 1024) {
            var (listens, size): (Int32, socklen_t) = (0, socklen_t(MemoryLayout<Int32>.size))
            guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens != 0 else {
                throw CommandFailure("cannot listen at fd: descriptor \(descriptor) is no socket that listens")
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            all.append(described(descriptor))
        }
        return all
    }

    private static func described(_ descriptor: Int32) -> Listening {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        return withUnsafeBytes(of: storage) { bytes in
            func listening(_ reach: Reach, _ name: String, isTCP: Bool = true) -> Listening {
                Listening(descriptor: descriptor, isTCP: isTCP, reach: reach, name: name, path: nil)
            }
            let port = UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
            switch Int32(storage.ss_family) {
            case AF_INET:
                let address = IPAddress(ipv4: UInt32(bigEndian: bytes.load(fromByteOffset: 4, as: UInt32.self)))
                return listening(address.isLoopback ? .machine : .network, "http://\(address):\(port)")
            case AF_INET6:
                let high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                let low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
                let address = IPAddress(ipv6: high, low)
                return listening(address.isLoopback ? .machine : .network, "http://[\(address)]:\(port)")
            default:
                let path = String(decoding: bytes[2..<max(2, Int(size))].prefix { $0 != 0 }, as: UTF8.self)
                var status = stat()
                let isOwners = !path.isEmpty && stat(path, &status) == 0 && status.st_mode & 0o077 == 0
                return listening(isOwners ? .owner : .file, "unix:\(path)", isTCP: false)
            }
        }
    }
}

private func bind<Address>(_ descriptor: Int32, to address: inout Address) -> Int32 {
    withSocketAddress(&address) { LinuxLibC.bind(descriptor, $0, $1) }
}

private func connect<Address>(_ descriptor: Int32, to address: inout Address) -> Int32 {
    withSocketAddress(&address) { LinuxLibC.connect(descriptor, $0, $1) }
}

private func withSocketAddress<Address>(
    _ address: inout Address,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<Address>.size))
        }
    }
}
