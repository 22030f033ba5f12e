internal import LinuxLibC
internal import SockDiag

/// A socket that is opened and closed only to make the kernel report its end. The reports come in order, so all that
/// ended before has been reported by then.
struct EndMarker {
    let cookie: SocketCookie

    /// Nil where there is no such socket.
    init?() {
        let descriptor = socket(AF_INET, SocketType.stream | SocketType.closeOnExec, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var number: UInt64 = 0
        var size = socklen_t(MemoryLayout<UInt64>.size)
        // `SO_COOKIE` of `<asm-generic/socket.h>`
        guard getsockopt(descriptor, SOL_SOCKET, 57, &number, &size) == 0 else { return nil }
        cookie = SocketCookie(rawValue: number)
    }
}
