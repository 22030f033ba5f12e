internal import LinuxLibC
internal import TCPRecords

/// The program `dot`, which draws graphs.
enum Graphviz {
    /// A graph as SVG.
    static func drawSVG(_ graph: borrowing TextBuffer) throws(CommandFailure) -> TextBuffer {
        var ends: [Int32] = [-1, -1]
        var drawing: [Int32] = [-1, -1]
        guard pipe(&ends) == 0, pipe(&drawing) == 0 else { throw CommandFailure("cannot make a pipe", errno: errno) }
        for end in ends + drawing { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // The graph is smaller than what a pipe holds: nobody need read yet.
        _ = graph.withBytes { write(ends[1], $0.baseAddress, $0.count) }
        close(ends[1])
        defer {
            close(ends[0])
            close(drawing[0])
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, drawing[1], STDOUT_FILENO)
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("dot"), strdup("-Tsvg"), nil]
        defer { arguments.forEach { free($0) } }
        var process: pid_t = 0
        let failure = posix_spawnp(&process, "dot", &actions, nil, &arguments, environ)
        close(drawing[1])
        guard failure == 0 else {
            let remedy = "install Graphviz (apt-get install graphviz), or use --format dot or mermaid"
            throw CommandFailure("cannot draw SVG: dot: \(String(cString: strerror(failure))); \(remedy)")
        }
        var picture = TextBuffer()
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        while case let length = read(drawing[0], &bytes, bytes.count), length > 0 {
            picture.append(String(decoding: bytes[..<length], as: UTF8.self))
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw CommandFailure("cannot draw SVG: dot failed") }
        return picture
    }
}
