/// Privileges that a thread has now.
///
/// C: `CAP_*` of `<linux/capability.h>`; the effective ones, `CapEff` of `proc(5)`.
package struct Capabilities: OptionSet, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// `CAP_DAC_READ_SEARCH`
    package static let readSearch = Capabilities(rawValue: 1 << 2)
    /// `CAP_SYS_PTRACE`
    package static let ptrace = Capabilities(rawValue: 1 << 19)
    /// `CAP_SYS_ADMIN`
    package static let administration = Capabilities(rawValue: 1 << 21)
    /// `CAP_PERFMON`, kernel 5.8
    package static let performanceMonitoring = Capabilities(rawValue: 1 << 38)
    /// `CAP_BPF`, kernel 5.8
    package static let bpf = Capabilities(rawValue: 1 << 39)

    /// Those of the calling thread; nil where they cannot be read.
    package static var effective: Capabilities? {
        guard let status = try? OpenFile.start(of: "/proc/thread-self/status", limit: 4096) else { return nil }
        for line in status.split(separator: UInt8(ascii: "\n")) where line.starts(with: "CapEff:".utf8) {
            let digits = String(decoding: line.dropFirst(7).drop { $0 <= UInt8(ascii: " ") }, as: UTF8.self)
            return UInt64(digits, radix: 16).map(Capabilities.init)
        }
        return nil
    }
}
