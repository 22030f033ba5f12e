internal import CMnl

/// Privileges that a thread has now.
///
/// C: `CAP_*` of `<linux/capability.h>`; the effective ones of `capget(2)`.
package struct Capabilities: OptionSet, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// `CAP_DAC_READ_SEARCH`
    package static let readSearch = Capabilities(rawValue: 1 << 2)
    /// `CAP_NET_ADMIN`
    package static let networkAdministration = Capabilities(rawValue: 1 << 12)
    /// `CAP_SYS_PTRACE`
    package static let ptrace = Capabilities(rawValue: 1 << 19)
    /// `CAP_SYS_ADMIN`
    package static let administration = Capabilities(rawValue: 1 << 21)
    /// `CAP_PERFMON`, kernel 5.8
    package static let performanceMonitoring = Capabilities(rawValue: 1 << 38)
    /// `CAP_BPF`, kernel 5.8
    package static let bpf = Capabilities(rawValue: 1 << 39)

    /// Takes from the calling thread, and from those that it starts, all but these, for good; whether that was done.
    package static func limit(to kept: Capabilities) -> Bool { cmnl_limit_capabilities(kept.rawValue) == 0 }

    /// Those of the calling thread; nil where they cannot be read. It takes no `/proc`.
    package static var effective: Capabilities? {
        var bits: UInt64 = 0
        return cmnl_effective_capabilities(&bits) == 0 ? Capabilities(rawValue: bits) : nil
    }
}
