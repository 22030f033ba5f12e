/// What the kernel reports of the calling thread, by its own keys: `CapEff`, `Seccomp`.
///
/// Source: `/proc/thread-self/status`, `proc_pid_status(5)`.
package struct ThreadStatus {
    private let text: String

    /// Nil where it cannot be read.
    package init?() {
        guard let bytes = try? OpenFile.start(of: "/proc/thread-self/status", limit: 4096) else { return nil }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// The value behind a name and a colon; nil where there is no such line.
    package subscript(name: String) -> Substring? {
        let start = name + ":"
        let line = text.split(separator: "\n").first { $0.hasPrefix(start) }
        return line?.dropFirst(start.count).drop(while: \.isWhitespace)
    }
}
