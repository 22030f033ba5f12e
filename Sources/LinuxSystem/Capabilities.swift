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
        guard let digits = ThreadStatus()?["CapEff"] else { return nil }
        return UInt64(digits, radix: 16).map(Capabilities.init)
    }
}
