/// How much of the machine a pass over the processes has seen.
///
/// Where it is not complete, a socket without an owner may have one.
public struct ScanCoverage: Hashable, Sendable {
    /// The number of processes whose descriptors were read.
    public internal(set) var processes = 0
    /// The number of descriptors that were read.
    public internal(set) var descriptors = 0
    /// The number of processes whose descriptors may not be read. Kernel threads, which hold none, do not
    /// count.
    public internal(set) var unreadable = 0
    /// Whether `/proc` hides the processes of other users: how many there are is not known.
    public internal(set) var hidesProcesses = false

    /// What a pass over so many processes has seen.
    public init(processes: Int = 0, descriptors: Int = 0, unreadable: Int = 0, hidesProcesses: Bool = false) {
        (self.processes, self.descriptors) = (processes, descriptors)
        (self.unreadable, self.hidesProcesses) = (unreadable, hidesProcesses)
    }

    /// Whether every process was read.
    public var isComplete: Bool { unreadable == 0 && !hidesProcesses }

    /// Adds what another part of the pass has read.
    mutating func add(_ part: ScanCoverage) {
        processes += part.processes
        descriptors += part.descriptors
        unreadable += part.unreadable
    }
}

extension ScanCoverage: CustomStringConvertible {
    /// One line: what was read; where something could not be, what that costs, and what would make it work.
    public var description: String {
        var shortfalls: [String] = []
        if hidesProcesses { shortfalls.append("/proc hides the processes of other users (hidepid)") }
        if unreadable > 0 { shortfalls.append("\(unreadable) process\(unreadable == 1 ? "" : "es") cannot be read") }
        guard !isComplete else { return "\(processes) processes with \(descriptors) descriptors" }
        return shortfalls.joined(separator: " and ")
            + ": their sockets show no owner; it takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, as root has them"
    }
}
