import Glibc

/// Does to sockets what the words say, one after the other.
///
///     pair            a listener on 127.0.0.1, a connection to it, and the accepted socket
///     pair-by-thread  the same, by another thread than the main one
///     pass            the listener over a UNIX socket to a process of its own, which holds it alone from then on
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
        case "pair-by-thread":
            var thread = pthread_t()
            pthread_create(
                &thread,
                nil,
                { @Sendable _ in
                    madeByThread = pair(); return nil
                },
                nil
            )
            pthread_join(thread, nil)
            sockets = madeByThread
        case "pass": pass(sockets.removeValue(forKey: "listener") ?? -1)
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

/// Written by one thread, and read when that has ended.
nonisolated(unsafe) private var madeByThread: [String: Int32] = [:]

/// Hands a descriptor to another process of this program and closes it, when the other has it.
private func pass(_ descriptor: Int32) {
    var ends: [Int32] = [-1, -1]
    socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends)
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
    // It inherits what this process has; of the listener only what it is passed is to be left.
    posix_spawn_file_actions_addclose(&actions, descriptor)
    posix_spawn_file_actions_addclose(&actions, ends[1])
    var pid: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/proc/self/exe"), strdup("receive"), nil]
    posix_spawn(&pid, "/proc/self/exe", &actions, nil, &arguments, environ)
    close(ends[1])
    message(passing: descriptor) { _ = sendmsg(ends[0], $0, 0) }
    close(descriptor)
    var byte: UInt8 = 0
    read(ends[0], &byte, 1)
}

/// Takes a descriptor that is passed over standard input, and holds it until nobody is at the other end.
func receive() -> Never {
    message(passing: -1) { _ = recvmsg(0, $0, 0) }
    var byte: UInt8 = 1
    write(0, &byte, 1)
    read(0, &byte, 1)
    _exit(0)
}

/// A message of one byte, with a descriptor beside it (`SCM_RIGHTS`).
private func message(passing descriptor: Int32, _ body: (UnsafeMutablePointer<msghdr>) -> Void) {
    // struct cmsghdr: length, level, type; then the descriptor, and padding.
    var control: [UInt64] = [20, UInt64(SOL_SOCKET) | 1 << 32, UInt64(UInt32(bitPattern: descriptor))]
    var byte: UInt8 = 0
    control.withUnsafeMutableBytes { control in
        withUnsafeMutableBytes(of: &byte) { byte in
            var part = iovec(iov_base: byte.baseAddress, iov_len: 1)
            withUnsafeMutablePointer(to: &part) { part in
                var header = msghdr()
                (header.msg_iov, header.msg_iovlen) = (part, 1)
                (header.msg_control, header.msg_controllen) = (control.baseAddress, control.count)
                body(&header)
            }
        }
    }
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
