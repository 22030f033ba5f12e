internal import BPF
internal import KernelTrace
internal import LinuxSystem
internal import SockDiag
internal import SocketOwners

extension WatchAccess {
    /// Asks what this process may see now.
    ///
    /// Nothing is started, and nothing loaded into the kernel. It takes some requests, a short-lived thread for each other
    /// network namespace, and some 20 µs for each process; it blocks for that time.
    public static func current() -> WatchAccess {
        var answers: [Answer] = []
        for (capability, family) in [(Capability.ipv4, AddressFamily.ipv4), (.ipv6, .ipv6)] {
            answers.append(
                Answer(capability) { () throws(KernelError) in
                    var client = try SockDiagClient()
                    _ = try client.sockets(SocketQuery(family: family, states: .listen))
                }
            )
        }
        answers.append(
            Answer(.destroyEvents) { () throws(KernelError) in _ = try DestroyMonitor(receiveBufferSize: 4096) }
        )
        let tracing = BPFSupport.here()
        answers.append(Answer(.trace, shortfall: tracing.isComplete ? nil : KernelError(tracing: tracing)))
        answers.append(owners())
        let listing: NetworkNamespace.Listing
        do throws(KernelError) {
            listing = try NetworkNamespace.all()
        } catch {
            return WatchAccess(answers + [Answer(.namespaces, shortfall: error)])
        }
        answers.append(Answer(.namespaces, shortfall: entering(listing) ?? finding(listing)))
        return WatchAccess(answers, namespaces: listing)
    }

    private static func owners() -> Answer {
        do throws(KernelError) {
            return Answer(.owners, shortfall: try ScanCoverage.probe().shortfall)
        } catch {
            return Answer(.owners, shortfall: error)
        }
    }

    /// Why one of the namespaces cannot be entered. One that has ended since it was found is no such.
    private static func entering(_ listing: NetworkNamespace.Listing) -> KernelError? {
        for namespace in listing {
            do throws(KernelError) {
                _ = try SockDiagClient(in: namespace)
            } catch {
                if error.code != .notFound { return error }
            }
        }
        return nil
    }

    /// Why there may be namespaces that are not found.
    private static func finding(_ listing: NetworkNamespace.Listing) -> KernelError? {
        guard listing.hidesProcesses || listing.unreadable > 0 else { return nil }
        let reason = listing.hidesProcesses ? .missingCapability : listing.firstUnreadable?.reason ?? .missingCapability
        return KernelError(
            .missingCapability,
            operation: "find all network namespaces",
            detail: listing.hidesProcesses
                ? "/proc hides the processes of other users (hidepid)"
                : listing.firstUnreadable.words(listing.unreadable, of: "that of "),
            remedy: reason.remedy(needing: "CAP_SYS_PTRACE")
        )
    }
}

extension WatchAccess.Answer {
    /// Tries something for the answer.
    fileprivate init(_ capability: WatchAccess.Capability, _ attempt: () throws(KernelError) -> Void) {
        self.init(capability)
        do throws(KernelError) { try attempt() } catch { shortfall = error.namingGuards }
    }
}

extension KernelError {
    /// The same, with what may have refused beside the kernel: a seccomp filter, SELinux, an emulated kernel.
    fileprivate var namingGuards: KernelError {
        var details = detail.isEmpty ? [] : [detail]
        if ThreadStatus()?["Seccomp"] == "2" { details.append("a seccomp filter is on") }
        if (try? OpenFile.start(of: "/sys/fs/selinux/enforce", limit: 8))?.first == UInt8(ascii: "1") {
            details.append("SELinux enforces its policy")
        }
        if code == .unsupported { details.append("an emulated kernel, as gVisor, has no sock_diag") }
        return KernelError(
            code,
            errno: errno,
            reason: reason,
            operation: operation,
            detail: details.joined(separator: "; "),
            remedy: remedy
        )
    }
}
