/// What the kernel counts of the TCP sockets that there are now, by its own words: `inuse`, `orphan`, `tw`, `alloc`, `mem`.
///
/// Source: `/proc/net/sockstat` and `/proc/net/sockstat6` (`net/ipv4/proc.c`, `net/ipv6/proc.c`).
package enum SocketStatistics {
    /// Those of IPv4; all but `inuse` are of both families.
    package static var ipv4: [String: UInt64] { numbers(of: "sockstat") }
    /// Those of IPv6 alone: `inuse`.
    package static var ipv6: [String: UInt64] { numbers(of: "sockstat6") }

    /// In the calling thread's network namespace; none where they cannot be read.
    private static func numbers(of file: String) -> [String: UInt64] {
        let text = try? OpenFile.start(of: "/proc/thread-self/net/\(file)", limit: 1024)
        return numbers(in: String(decoding: text ?? [], as: UTF8.self))
    }

    /// Reads `TCP: inuse 5 orphan 0 …`, or `TCP6: …`.
    package static func numbers(in text: String) -> [String: UInt64] {
        var numbers: [String: UInt64] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("TCP:") || line.hasPrefix("TCP6:") {
            let words = line.split(separator: " ").dropFirst()
            for (name, value) in zip(words, words.dropFirst()) { numbers[String(name)] = UInt64(value) }
        }
        return numbers
    }
}
