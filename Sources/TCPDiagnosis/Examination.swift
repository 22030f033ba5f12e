internal import SockDiag
internal import SocketOwners

/// Two snapshots of a namespace, and what is wrong by them.
struct Examination {
    let before: Survey
    let now: Survey
    let thresholds: Thresholds
    let namespace: NetworkNamespace
    var findings: [Finding] = []
    /// Whether it may be told who holds what.
    var namesOwners = true
    /// The part of the processes that was read; nil as long as nobody asked for owners.
    private(set) var coverage: ScanCoverage?
    private var snapshot: OwnerSnapshot?

    init(before: Survey, now: Survey, thresholds: Thresholds, namespace: NetworkNamespace) {
        (self.before, self.now) = (before, now)
        (self.thresholds, self.namespace) = (thresholds, namespace)
    }

    /// Finds all, what keeps clients out first.
    mutating func run() throws(KernelError) {
        try checkListeners()
        checkCookies()
        try checkCloseWait()
        try checkPorts()
        try checkSourcePorts()
        try checkUnanswered()
        try checkUnacknowledged()
        try checkFinWait2()
        try checkClosedWindows()
        try checkIdle()
        checkRetransmissions()
        checkMachine()
    }

    /// The processes that hold the sockets, each once. `/proc` is read once, for all that may be asked for.
    mutating func owners(of inodes: some Sequence<UInt32>) -> [SocketOwner] {
        guard namesOwners else { return [] }
        let snapshot = ownersOfSuspects()
        var owners: [SocketOwner] = []
        for inode in inodes {
            for owner in snapshot[inode] where !owners.contains(where: { $0.pid == owner.pid }) { owners.append(owner) }
            // Enough to go on with, where thousands share one trouble.
            if owners.count >= 8 { break }
        }
        return owners
    }

    mutating func ownersOfSuspects() -> OwnerSnapshot {
        if let snapshot { return snapshot }
        var suspects = now.listeners.values.flatMap { $0.compactMap(\.inode) }
        for waiting in [now.closeWaits, now.closedHere, now.closedByPeer, now.unacknowledged, now.idle] {
            suspects += waiting.map(\.inode)
        }
        suspects += crowdedSources.flatMap(\.value.reserved)
        suspects += now.openings.values.flatMap(\.inodes)
        suspects += now.routes.values.compactMap(\.inode)
        suspects += now.finWait2.held
        // Without /proc a finding stands without its owners.
        let found = try? OwnerSnapshot(of: suspects)
        coverage = found?.coverage
        let owners = found ?? OwnerSnapshot(owners: [:])
        snapshot = owners
        return owners
    }

    /// The growth of a counter; nil where the kernel has no such counter.
    func growth(of name: KernelCounters.Name) -> Int? {
        guard let old = before.counters[name], let new = now.counters[name] else { return nil }
        // No counter grows by so much; a sum of a few does not overflow.
        return Int(min(new &- min(old, new), 1 << 50))
    }

    /// The rate of so many since the snapshot before.
    func perSecond(_ count: Int) -> Int {
        let seconds = max(Double(now.time &- before.time) / 1e9, 0.001)
        return Int((Double(min(count, 1 << 50)) / seconds).rounded())
    }

    /// The growth of a counter as a rate; 0 where there is no such counter.
    func rate(of name: KernelCounters.Name) -> Int { perSecond(growth(of: name) ?? 0) }

    /// A part of a whole in percent, rounded down.
    static func percent(_ part: Int, of whole: Int) -> Int {
        whole > 0 ? Int((Double(part) / Double(whole) * 100).rounded(.down)) : part > 0 ? 100 : 0
    }

    /// What the settings are.
    func evidence(of settings: [KernelSetting]) -> [Finding.Evidence] {
        settings.compactMap { setting in
            let name = setting.rawValue.split(separator: ".").last.map(String.init) ?? setting.rawValue
            return now.settings[setting].map { .init(name, $0, "\(setting.rawValue) = \($0)") }
        }
    }

    /// The command that changes a setting, in the namespace that is examined.
    func sysctl(_ setting: KernelSetting, _ value: some CustomStringConvertible) -> String {
        inNamespace("sysctl -w \("\(setting.rawValue)=\(value)".quoted)")
    }

    /// The command as it has to be typed where the namespace is another one.
    func inNamespace(_ command: String) -> String {
        if isHere { return command }
        if let name = namespace.name { return "ip netns exec \(name.quoted) \(command)" }
        if let pid = namespace.pid { return "nsenter -t \(pid) -n \(command)" }
        return "nsenter --net=\(namespace.label.quoted) \(command)"
    }

    /// The namespace that a view names: nil for the namespace of the calling thread.
    var elsewhere: NetworkNamespace? { isHere ? nil : namespace }

    /// Whether it is the namespace of the calling thread.
    private var isHere: Bool {
        guard let current = try? NetworkNamespace.current else { return false }
        return current == namespace
    }
}

extension String {
    /// As a shell takes it for one word.
    package var quoted: String {
        let isPlain = utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "-")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "="), UInt8(ascii: ":"):
                true
            default: false
            }
        }
        return isPlain
            ? self : "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

extension [SocketOwner] {
    /// `nginx (process 4711)`; what else to call them where nobody is known.
    func named(or unknown: String) -> String {
        guard let first else { return unknown }
        let others = count > 1 ? " and \(count - 1) more" : ""
        return "\(first.name) (process \(first.pid))\(others)"
    }
}
