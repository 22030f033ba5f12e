package import BPF
package import SocketValues

extension KernelError {
    /// The reason why tracing is not possible here.
    package init(tracing support: BPFSupport) {
        let code: Code =
            switch support.missing.first {
            case .privilege: .missingCapability
            case .kernel: .kernelTooOld
            default: .unsupported
            }
        self.init(
            code,
            operation: "trace the kernel",
            detail: "it needs " + support.missing.map(\.description).joined(separator: ", and "),
            remedy: support.missing.first?.remedy ?? ""
        )
    }
}
