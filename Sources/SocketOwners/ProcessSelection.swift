public import SockDiag

/// Which processes are asked for the sockets they hold.
///
/// ```swift
/// let one = ProcessSelection(pids: [4711])
/// let some = ProcessSelection(pids: [1], names: [ProcessName("nginx")])  // the one, and all of that name
/// ```
///
/// Where only numbers are given, no other process is read.
public struct ProcessSelection: Hashable, Sendable {
    /// Whether every process is meant.
    public let isAll: Bool
    /// Processes by number.
    public let pids: Set<Int32>
    /// Processes by name, as it is when they are read.
    public let names: Set<ProcessName>

    /// Every process.
    public static let all = ProcessSelection(isAll: true, pids: [], names: [])

    /// The processes that have one of the numbers or one of the names.
    public init(pids: Set<Int32> = [], names: Set<ProcessName> = []) {
        self.init(isAll: false, pids: pids, names: names)
    }

    /// The process of a number.
    public static func process(_ pid: Int32) -> ProcessSelection { ProcessSelection(pids: [pid]) }

    private init(isAll: Bool, pids: Set<Int32>, names: Set<ProcessName>) {
        self.isAll = isAll
        self.pids = pids
        self.names = names
    }
}
