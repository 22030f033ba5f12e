internal import LinuxLibC
internal import LinuxSystem

/// What programs in the kernel need of a machine, and what of it is missing here. Nothing is tried for it.
///
/// ```swift
/// let support = BPFSupport.here()
/// if !support.isComplete { print(support) }  // "tracing needs CAP_BPF and CAP_PERFMON: …"
/// ```
package struct BPFSupport: Hashable, Sendable {
    /// Something that they need.
    package enum Requirement: CaseIterable, Sendable {
        /// Ring buffers came with 5.8, the cookie in tracing programs with 5.12.
        case kernel
        /// BTF: the kernel's own description of its types.
        case types
        /// The capabilities, in the first user namespace.
        case privilege
        /// No lockdown to confidentiality, which hides the kernel's memory from every program.
        case openness
    }

    /// What is missing, the most fundamental first.
    package let missing: [Requirement]

    /// Whether nothing is known to be missing. The kernel may still refuse: a seccomp profile, a security module.
    package var isComplete: Bool { missing.isEmpty }

    package init(missing: [Requirement]) { self.missing = missing }

    /// What of it the running kernel and this process lack.
    package static func here() -> BPFSupport {
        BPFSupport(missing: Requirement.allCases.filter(\.isMissing))
    }

    /// The file in which the kernel describes its types.
    package static let typesPath = "/sys/kernel/btf/vmlinux"
}

extension BPFSupport.Requirement {
    /// What is needed, to be read after "tracing needs".
    package var description: String {
        switch self {
        case .kernel: "Linux 5.12 or newer"
        case .types: "a kernel with BTF (CONFIG_DEBUG_INFO_BTF, \(BPFSupport.typesPath))"
        case .privilege: "CAP_BPF and CAP_PERFMON"
        case .openness: "a kernel that is not locked down to confidentiality"
        }
    }

    /// How it is had; empty where only another kernel has it.
    package var remedy: String {
        switch self {
        case .privilege where !ProcessDirectory.isInFirstUserNamespace:
            "leave the user namespace, as root outside of it has them"
        case .privilege: Self.remedyForPrivilege
        case .openness: "boot without lockdown=confidentiality"
        case .kernel, .types: ""
        }
    }

    /// How the capabilities are had: how a program is given them is for the program to say.
    package static let remedyForPrivilege = "run as root, or give the program these capabilities"

    fileprivate var isMissing: Bool {
        switch self {
        case .kernel: KernelRelease.running < KernelRelease("5.12")
        case .types: access(BPFSupport.typesPath, R_OK) != 0
        case .privilege: !ProcessDirectory.isInFirstUserNamespace || !Self.hasCapabilities
        case .openness: Self.lockdown.contains("[confidentiality]")
        }
    }

    /// Whether the capabilities are there. Where they cannot be read, the kernel's answer to the attempt decides.
    private static var hasCapabilities: Bool {
        guard let held = Capabilities.effective else { return true }
        return held.contains(.administration) || held.isSuperset(of: [.bpf, .performanceMonitoring])
    }

    /// `none [integrity] confidentiality`; empty where it cannot be read.
    private static var lockdown: String {
        let text = try? OpenFile.start(of: "/sys/kernel/security/lockdown", limit: 64)
        return String(decoding: text ?? [], as: UTF8.self)
    }
}

extension BPFSupport: CustomStringConvertible {
    /// One line: what is missing, and how it is had where it can be.
    package var description: String {
        guard let first = missing.first else { return "tracing has all that it needs" }
        let needs = missing.map(\.description).joined(separator: ", and ")
        return "tracing needs \(needs)" + (first.remedy.isEmpty ? "" : ": \(first.remedy)")
    }
}
