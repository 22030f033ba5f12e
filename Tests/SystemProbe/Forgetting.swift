import Glibc

/// Forgets sockets as programs do, a word each; says `ready`, then does the words of each line of standard input, and ends
/// with it.
///
///     unbound, bound           a TCP socket, bound to a port or not
///     unbound6, mptcp          the same over IPv6, and of MPTCP
///     refused                  its connect() was refused
///     refused-bound            the same of one that is bound
///     reset                    accepted, and reset by the peer
///     reset-first              the peer resets the connection: the client of the first pair does
///     reset-bound              connected from a port that it was bound to, and reset
///     disconnected             connected, and let go: connect() to AF_UNSPEC
///     close-wait               accepted, and closed by the peer
///     answering                the same, while a long answer is on its way
///     answer                   the server of the first pair, if that is half-closed, sends a byte more
///     half-closed              shut down, by a client whose server does nothing
///     finished                 shut down by both, and not closed
///     unaccepted               a listener with a connection that it does not accept
///     listener, idle, pool     a listener; a connection of which both ends are held; twenty of them
///     udp, unix                a socket of UDP; a pair of UNIX streams
///     inherit                  starts a process that has all that there is now
///     close                    closes all
func forget(_ words: [String]) -> Never {
    var program = Forgetting()
    for word in words { program.forget(word) }
    print("ready")
    fflush(nil)
    while let line = readLine() {
        for word in line.split(separator: " ") { program.forget(String(word)) }
        print("ready")
        fflush(nil)
    }
    for child in program.children { kill(child, SIGKILL) }
    _exit(0)
}

private struct Forgetting {
    /// The descriptors that are open.
    var sockets: [Int32] = []
    var children: [pid_t] = []
    private let listener: Int32
    private let port: UInt16

    init() {
        listener = Self.open(AF_INET)
        port = Self.bind(listener)
        listen(listener, 64)
    }

    mutating func forget(_ word: String) {
        switch word {
        case "unbound": sockets.append(Self.open(AF_INET))
        case "unbound6": sockets.append(Self.open(AF_INET6))
        case "mptcp": sockets.append(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 262))
        case "bound": sockets.append(bound())
        case "refused", "refused-bound":
            let client = word == "refused" ? Self.open(AF_INET) : bound()
            _ = Self.connect(client, 1)
            sockets.append(client)
        case "reset":
            let (client, accepted) = pair()
            sockets.append(accepted)
            Self.reset(client)
        case "reset-first": Self.reset(sockets.removeFirst())
        case "reset-bound":
            let client = bound()
            _ = Self.connect(client, port)
            sockets.append(client)
            Self.reset(accept(listener, nil, nil))
        case "disconnected":
            let (client, accepted) = pair()
            var nowhere = sockaddr()
            Glibc.connect(client, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
            close(accepted)
            sockets.append(client)
        case "close-wait", "answering":
            let (client, accepted) = pair()
            sockets.append(accepted)
            shutdown(client, Int32(SHUT_WR))
            if word == "close-wait" { close(client) } else { sockets.append(client); Self.fill(accepted) }
        case "answer":
            // Of a half-closed pair: the server sends, the client reads.
            var byte: UInt8 = 1
            send(sockets[1], &byte, 1, 0)
            recv(sockets[0], &byte, 1, 0)
        case "half-closed", "finished":
            let (client, accepted) = pair()
            sockets += [client, accepted]
            shutdown(client, Int32(SHUT_WR))
            if word == "finished" { shutdown(accepted, Int32(SHUT_WR)) }
        case "unaccepted", "listener":
            let server = Self.open(AF_INET)
            let port = Self.bind(server)
            listen(server, 8)
            sockets.append(server)
            guard word == "unaccepted" else { return }
            sockets.append(Self.open(AF_INET))
            _ = Self.connect(sockets[sockets.count - 1], port)
        case "idle": keepPair()
        case "pool": for _ in 0..<20 { keepPair() }
        case "udp": sockets.append(socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0))
        case "unix":
            var pair: [Int32] = [-1, -1]
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
            sockets += pair
        case "inherit":
            var pid: pid_t = 0
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
            posix_spawnp(&pid, "sleep", nil, nil, &arguments, environ)
            children.append(pid)
        case "close":
            for socket in sockets { close(socket) }
            sockets = []
        default: print("unknown word \(word)")
        }
    }

    private mutating func keepPair() {
        let (client, accepted) = pair()
        sockets += [client, accepted]
    }

    private func pair() -> (client: Int32, accepted: Int32) {
        let client = Self.open(AF_INET)
        _ = Self.connect(client, port)
        return (client, accept(listener, nil, nil))
    }

    /// A socket that is bound to a port by its number: the kernel leaves it to it when its connection is over.
    private func bound() -> Int32 {
        let first = Self.open(AF_INET)
        let port = Self.bind(first)
        close(first)
        let new = Self.open(AF_INET)
        _ = Self.bind(new, port)
        return new
    }

    private static func open(_ family: Int32) -> Int32 { socket(family, Int32(SOCK_STREAM.rawValue), 0) }

    /// Binds it to a port of the loopback device, or to one that is free, and answers which.
    private static func bind(_ socket: Int32, _ port: UInt16 = 0) -> UInt16 {
        var address = loopback(port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(socket, $0, length)
                getsockname(socket, $0, &length)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func connect(_ socket: Int32, _ port: UInt16) -> Int32 {
        var address = loopback(port)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        return address
    }

    /// Closes it by a RST.
    private static func reset(_ socket: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close(socket)
    }

    /// Sends until there is no room.
    private static func fill(_ socket: Int32) {
        let bytes = [UInt8](repeating: 1, count: 65536)
        while send(socket, bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {}
    }
}
