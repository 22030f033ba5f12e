internal import BPF
internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
internal import TCPRecords

/// Something that can be seen from here, or cannot.
struct Access {
    /// For records: `ipv4`, `trace`.
    let name: String
    /// What is seen.
    let what: String
    /// Why it is not, with the remedy; nil where it is.
    let shortfall: String?

    /// All that the commands can make use of. Nothing but a few requests is tried for it.
    static func all() -> [Access] {
        var all: [Access] = []
        for (family, name) in [(AddressFamily.ipv4, "IPv4"), (.ipv6, "IPv6")] {
            all.append(
                Access(family.description, "\(name) sockets") { () throws(KernelError) in
                    var client = try SockDiagClient()
                    _ = try client.sockets(SocketQuery(family: family, states: .listen))
                }
            )
        }
        all.append(
            Access("destroy_events", "the end of each") { () throws(KernelError) in
                _ = try DestroyMonitor(receiveBufferSize: 4096)
            }
        )
        let tracing = BPFSupport.here()
        let lacking = tracing.isComplete ? nil : "\(tracing)".withCommands
        all.append(Access(name: "trace", what: "each transition by tracepoints", shortfall: lacking))
        all += processesAndNamespaces()
        let hasCounters = access("/proc/thread-self/net/netstat", R_OK) == 0 && access("/proc/sys/net/ipv4", R_OK) == 0
        let proc = "the kernel's counters and settings cannot be read below /proc; mount it: mount -t proc proc /proc"
        all.append(Access(name: "counters", what: "counters and settings", shortfall: hasCounters ? nil : proc))
        return all
    }

    private init(name: String, what: String, shortfall: String?) {
        (self.name, self.what, self.shortfall) = (name, what, shortfall)
    }

    private init(_ name: String, _ what: String, _ attempt: () throws(KernelError) -> Void) {
        var shortfall: String?
        do { try attempt() } catch { shortfall = "\(error)" + Self.guards(error) }
        self.init(name: name, what: what, shortfall: shortfall)
    }

    /// What may have refused: a seccomp filter, SELinux, an emulated kernel.
    private static func guards(_ error: KernelError) -> String {
        var guards: [String] = []
        if ThreadStatus()?["Seccomp"] == "2" { guards.append("a seccomp filter is on") }
        if (try? OpenFile.start(of: "/sys/fs/selinux/enforce", limit: 8))?.first == UInt8(ascii: "1") {
            guards.append("SELinux enforces its policy")
        }
        if error.code == .unsupported { guards.append("an emulated kernel, as gVisor, has no sock_diag") }
        return guards.isEmpty ? "" : " (\(guards.joined(separator: "; ")))"
    }

    private static func processesAndNamespaces() -> [Access] {
        do throws(KernelError) {
            let listing = try NetworkNamespace.all()
            var hidden: String?
            let privilege = "it takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, as root has them"
            if listing.hidesProcesses {
                hidden = "/proc hides the processes of other users (hidepid): \(privilege)"
            } else if listing.unreadable > 0 {
                let count = listing.unreadable == 1 ? "1 process" : "\(listing.unreadable) processes"
                hidden = "\(count) cannot be read, nor which sockets they hold: \(privilege)"
            }
            let others = listing.contains { (try? SockDiagClient(in: $0)) == nil }
            let entering = "other network namespaces cannot be entered: it takes CAP_SYS_ADMIN, as root has it"
            return [
                Access(name: "owners", what: "the owners of all sockets", shortfall: hidden),
                Access(
                    name: "namespaces",
                    what: listing.count == 1 ? "the one network namespace" : "\(listing.count) network namespaces",
                    shortfall: others ? entering : nil
                ),
            ]
        } catch {
            return [Access(name: "owners", what: "the owners of all sockets", shortfall: "\(error)")]
        }
    }
}
