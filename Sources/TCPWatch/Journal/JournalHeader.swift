internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
public import SocketValues

/// What a journal says of itself: who wrote it, where, and what could be seen there.
public struct JournalHeader: Hashable, Sendable {
    /// The version of the program that wrote it. No other version reads it.
    public var version: String
    /// The kernel's release and the machine's architecture, as `uname -rm` prints them.
    public var kernel = ""
    /// The kernel's name for the time since it started: cookies and monotonic times of two journals with the same one
    /// are of one world (`/proc/sys/kernel/random/boot_id`).
    public var bootID = ""
    /// When watching began.
    public var start = EventTime(monotonicNanoseconds: 0, realtimeNanoseconds: 0)
    /// Whether the kernel reported each transition.
    public var isTracing = false
    /// Why it did not, and what was missing; empty where it did, and where that was not asked for.
    public var refusal = ""
    /// What of the sockets was asked for beside the states, in words; empty for all.
    public var filter = ""
    /// The states whose transitions were reported.
    public var states = TCPStateSet.all
    /// Whether the sockets that existed at the beginning were reported.
    public var reportsExisting = true
    /// Whether the network namespaces were named, and so are a part of each record.
    public var namesNamespaces = false
    /// Whether it was found out who holds the sockets.
    public var resolvesOwners = false

    /// A header of which no more is known than the version.
    public init(version: String) { self.version = version }

    /// The header of a watcher that begins now on this machine.
    init(
        _ configuration: SocketWatcher.Configuration,
        version: String,
        isTracing: Bool,
        refusal: KernelError?
    ) {
        self.init(version: version)
        kernel = Self.runningKernel
        bootID = Self.firstLine(of: "/proc/sys/kernel/random/boot_id")
        start = .now()
        self.isTracing = isTracing
        self.refusal = refusal?.description ?? ""
        let family = configuration.family?.description
        filter = [family, configuration.filter?.description].compactMap { $0 }.joined(separator: " ")
        states = configuration.states
        reportsExisting = configuration.reportsExisting
        namesNamespaces = !configuration.namespaces.isEmpty || configuration.followsAllNamespaces
        resolvesOwners = configuration.resolvesOwners
    }

    private static var runningKernel: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "" }
        func text(_ field: some Any) -> String {
            withUnsafeBytes(of: field) { String(escaping: $0.prefix { $0 != 0 }) }
        }
        return "\(text(name.release)) \(text(name.machine))"
    }

    private static func firstLine(of path: String) -> String {
        guard let bytes = try? OpenFile.start(of: path, limit: 128) else { return "" }
        return String(escaping: bytes.prefix { $0 != UInt8(ascii: "\n") })
    }
}
