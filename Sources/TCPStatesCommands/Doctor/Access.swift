internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// Something that can be seen from here, or cannot.
struct Access {
    /// For records: `ipv4`, `trace`.
    let name: String
    /// What is seen.
    let what: String
    /// Why it is not, with the remedy; nil where it is.
    let shortfall: String?

    /// All that the commands can make use of: what a watcher can, and the counters and settings that the doctor reads.
    static func all() -> [Access] {
        let access = WatchAccess.current()
        var all = access.answers.map { answer in
            Access(
                name: answer.capability.rawValue,
                what: words(answer.capability, access),
                shortfall: answer.shortfall.map { "\($0)".withCommands }
            )
        }
        let hasCounters =
            LinuxLibC.access("/proc/thread-self/net/netstat", R_OK) == 0
            && LinuxLibC.access("/proc/sys/net/ipv4", R_OK) == 0
        let proc = "the kernel's counters and settings cannot be read below /proc; mount it: mount -t proc proc /proc"
        all.append(Access(name: "counters", what: "counters and settings", shortfall: hasCounters ? nil : proc))
        return all
    }

    private static func words(_ capability: WatchAccess.Capability, _ access: WatchAccess) -> String {
        // Why something is not seen says what it is.
        switch capability {
        case .trace where !access.canTrace: "tracepoints"
        case .owners where !access.findsAllOwners: "owners"
        case .namespaces where !access.seesAllNamespaces: "network namespaces"
        case .ipv4: "IPv4 sockets"
        case .ipv6: "IPv6 sockets"
        case .destroyEvents: "the end of each"
        case .trace: "each transition by tracepoints"
        // Who comes later, and is outside of it, is not seen.
        case .owners where (try? ProcessDirectory())?.isConfined == true: "owners within this PID namespace"
        case .owners: "the owners of all sockets"
        case .namespaces:
            access.namespaces.count == 1 ? "the one network namespace" : "\(access.namespaces.count) network namespaces"
        default: capability.rawValue
        }
    }
}
