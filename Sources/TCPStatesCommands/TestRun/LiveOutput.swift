internal import LinuxLibC

/// Standard output for a program that would hold its lines back before a pipe: a terminal that changes nothing on the
/// way, for as long as the value lives.
final class LiveOutput {
    /// Readable while there is output to pass on.
    let descriptor: Int32
    /// What the program has as its standard output; -1 once it has been started.
    private(set) var programsEnd: Int32

    /// One where standard output is no terminal itself; else nil, also where no terminal is to be had.
    init?() {
        guard isatty(STDOUT_FILENO) == 0 else { return nil }
        var ends: (main: Int32, program: Int32) = (-1, -1)
        guard openpty(&ends.main, &ends.program, nil, nil, nil) == 0 else { return nil }
        var settings = termios()
        cfmakeraw(&settings)
        tcsetattr(ends.program, TCSANOW, &settings)
        for end in [ends.main, ends.program] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends.main, F_SETFL, O_NONBLOCK)
        (descriptor, programsEnd) = ends
        // No colours, and no line that is written over: there is nobody before this terminal.
        setenv("TERM", "dumb", 1)
    }

    deinit {
        closeProgramsEnd()
        close(descriptor)
    }

    /// Leaves the program's end to the program.
    func closeProgramsEnd() {
        if programsEnd >= 0 { close(programsEnd) }
        programsEnd = -1
    }

    /// Passes on what has come.
    func passOn() {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let length = read(descriptor, &buffer, buffer.count), length > 0 {
            var rest = buffer[..<length]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
                if written < 0, errno == EAGAIN {
                    // Its reader is slow: so is `swift test` then.
                    var waited = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&waited, 1, -1)
                }
                guard written > 0 || errno == EINTR || errno == EAGAIN else { return }
                rest = rest.dropFirst(max(written, 0))
            }
        }
    }
}
