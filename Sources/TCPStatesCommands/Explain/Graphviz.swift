internal import Glibc

/// The program `dot`, which draws graphs.
enum Graphviz {
    /// Draws a graph as SVG into the output.
    static func drawSVG(_ graph: borrowing TextBuffer, to output: borrowing Output) throws(CommandFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw CommandFailure("cannot make a pipe", errno: errno) }
        // The graph is smaller than what a pipe holds: nobody need read yet.
        _ = graph.withBytes { write(ends[1], $0.baseAddress, $0.count) }
        close(ends[1])
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output.descriptor, STDOUT_FILENO)
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("dot"), strdup("-Tsvg"), nil]
        defer { arguments.forEach { free($0) } }
        var process: pid_t = 0
        let failure = posix_spawnp(&process, "dot", &actions, nil, &arguments, environ)
        guard failure == 0 else {
            let remedy = "install Graphviz (apt-get install graphviz), or use --format dot or mermaid"
            throw CommandFailure("cannot draw SVG: dot: \(String(cString: strerror(failure))); \(remedy)")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw CommandFailure("cannot draw SVG: dot failed") }
    }
}
