public import SockDiag
public import SocketOwners

/// Says what is wrong with the TCP of a network namespace, by two snapshots of it.
///
/// ```swift
/// var doctor = try Doctor()
/// try await Task.sleep(for: .seconds(1))
/// for finding in try doctor.examine() {
///     print(finding.title, finding.owners)
///     for remedy in finding.remedies { print(remedy.effect, remedy.command ?? "") }
/// }
/// ```
///
/// A snapshot costs about as much as a dump of all sockets, and where something is found, a pass over `/proc` for its
/// owners: a task takes it by ``/SockDiag/onOwnThread(_:)``. It changes no setting. Every snapshot is compared with the one before: call ``examine()`` as often as wanted, a
/// second or more apart.
public struct Doctor: Sendable {
    /// What is examined.
    public let namespace: NetworkNamespace
    /// The limits from which on something counts as wrong.
    public var thresholds: Thresholds
    /// The part of the processes that was read when owners were searched for last; nil where nothing was found.
    public private(set) var coverage: ScanCoverage?

    /// Whether findings say which processes hold the sockets. They are grouped by process all the same.
    package var namesOwners = true

    private var before: Survey

    /// Takes the first snapshot, of the calling thread's namespace where none is given.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where the kernel refuses, and where the namespace may not be entered.
    public init(
        of namespace: NetworkNamespace? = nil,
        thresholds: Thresholds = Thresholds()
    ) throws(KernelError) {
        let namespace = if let namespace { namespace } else { try NetworkNamespace.current }
        self.namespace = namespace
        self.thresholds = thresholds
        before = try Survey(of: namespace, since: nil)
    }

    /// Takes another snapshot, and says what is wrong: what keeps clients out first.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    public mutating func examine() throws(KernelError) -> [Finding] {
        let now = try Survey(of: namespace, since: before, idleAge: thresholds.idleAge)
        defer { before = now }
        var examination = Examination(before: before, now: now, thresholds: thresholds, namespace: namespace)
        examination.namesOwners = namesOwners
        try examination.run()
        coverage = examination.coverage
        return examination.findings
    }
}
