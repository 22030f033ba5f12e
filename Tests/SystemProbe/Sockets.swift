import Glibc

/// Does to sockets what the words say, one after the other.
///
///     pair            a listener on 127.0.0.1, a connection to it, and the accepted socket
///     send N          N bytes from the client to the accepted socket, which reads them
///     close WHAT      client, accepted or listener
///     await           goes on at SIGUSR1
///     say TEXT        a line on standard output
///     hold            starts another process that inherits the sockets and ends after 3 s
///     exit STATUS     ends at once, without closing anything
func script(_ words: [String]) -> Never {
    var usr1 = sigset_t()
    sigemptyset(&usr1)
    sigaddset(&usr1, SIGUSR1)
    sigprocmask(SIG_BLOCK, &usr1, nil)
    var sockets: [String: Int32] = [:]
    var words = words[...]
    while let word = words.popFirst() {
        switch word {
        case "pair": sockets = pair()
        case "send":
            let bytes = [UInt8](repeating: 1, count: words.popFirst().flatMap { Int($0) } ?? 0)
            var received = [UInt8](repeating: 0, count: bytes.count)
            write(sockets["client"] ?? -1, bytes, bytes.count)
            recv(sockets["accepted"] ?? -1, &received, received.count, Int32(MSG_WAITALL))
        case "close": close(sockets[words.popFirst() ?? ""] ?? -1)
        case "await":
            var signal: Int32 = 0
            sigwait(&usr1, &signal)
        case "say":
            let line = "\(words.popFirst() ?? "")\n"
            write(1, line, line.utf8.count)
        case "hold":
            var pid: pid_t = 0
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("3"), nil]
            posix_spawnp(&pid, "sleep", nil, nil, &arguments, environ)
        default: _exit(words.popFirst().flatMap { Int32($0) } ?? 0)
        }
    }
    _exit(0)
}

private func pair() -> [String: Int32] {
    let stream = Int32(SOCK_STREAM.rawValue)
    let (listener, client) = (socket(AF_INET, stream, 0), socket(AF_INET, stream, 0))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(listener, address, length)
            listen(listener, 8)
            getsockname(listener, address, &length)
            connect(client, address, length)
        }
    }
    return ["listener": listener, "client": client, "accepted": accept(listener, nil, nil)]
}
