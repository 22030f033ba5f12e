/// How much of the machine a pass over the processes has seen.
///
/// Where it is not complete, a socket without an owner may have one.
public struct ScanCoverage: Hashable, Sendable {
    /// The number of processes whose descriptors were read.
    public var processes = 0
    /// The number of descriptors that were read.
    public var descriptors = 0
    /// The number of processes whose descriptors may not be read. Kernel threads, which hold none, do not
    /// count.
    public var unreadable = 0
    /// The unreadable process of the lowest number, and why it is; nil where there is none, or it is not known.
    public var firstUnreadable: UnreadableProcess?
    /// Whether `/proc` hides the processes of other users: how many there are is not known.
    public var hidesProcesses = false
    /// Whether `/proc` is of a PID namespace within another, as in a container, and shows no process outside of it. It may
    /// be that none of them holds a socket here.
    public var isConfined = false

    /// A coverage.
    public init(
        processes: Int = 0,
        descriptors: Int = 0,
        unreadable: Int = 0,
        firstUnreadable: UnreadableProcess? = nil,
        hidesProcesses: Bool = false,
        isConfined: Bool = false
    ) {
        (self.processes, self.descriptors) = (processes, descriptors)
        (self.unreadable, self.firstUnreadable) = (unreadable, firstUnreadable)
        (self.hidesProcesses, self.isConfined) = (hidesProcesses, isConfined)
    }

    /// Whether every process was read.
    public var isComplete: Bool { unreadable == 0 && !hidesProcesses && !isConfined }

    /// Notes a process that may not be read.
    mutating func add(_ process: UnreadableProcess) {
        unreadable += 1
        if firstUnreadable.map({ process.pid < $0.pid }) ?? true { firstUnreadable = process }
    }

    /// Adds what another part of the pass has read.
    mutating func add(_ part: ScanCoverage) {
        processes += part.processes
        descriptors += part.descriptors
        guard let first = part.firstUnreadable else { return }
        unreadable += part.unreadable - 1
        add(first)
    }
}

extension ScanCoverage {
    /// Why some owners are not known, and what would make them known; nil where every process was read.
    public var shortfall: KernelError? {
        guard !isComplete else { return nil }
        return KernelError(
            .missingCapability,
            operation: "find the owners of all sockets",
            detail: gaps,
            remedy: remedy
        )
    }

    /// What was not seen, and of what that is the reason.
    package var gaps: String {
        var gaps: [String] = []
        if hidesProcesses { gaps.append("/proc hides the processes of other users (hidepid)") }
        if unreadable > 0 { gaps.append(firstUnreadable.words(unreadable)) }
        if isConfined { gaps.append("/proc does not show the processes outside of this PID namespace") }
        return gaps.joined(separator: " and ")
    }

    /// What makes the processes of the host seen: how a program is put there is for the program to say.
    package static let remedyForNamespace = "it takes the host's PID namespace, and a /proc of it"

    /// What would make more of them seen.
    package var remedy: String {
        var remedies: [String] = []
        if hidesProcesses || unreadable > 0 {
            let reason = hidesProcesses ? .missingCapability : firstUnreadable?.reason ?? .missingCapability
            remedies.append(reason.remedy(needing: "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"))
        }
        if isConfined { remedies.append(Self.remedyForNamespace) }
        return remedies.joined(separator: ", and ")
    }
}

extension ScanCoverage: CustomStringConvertible {
    /// One line: what was read; where something could not be, what that costs, and what would make it work.
    public var description: String {
        guard !isComplete else { return "\(processes) processes with \(descriptors) descriptors" }
        let whose = unreadable == 1 && !hidesProcesses && !isConfined ? "its" : "their"
        return "\(gaps): \(whose) sockets show no owner; \(remedy)"
    }
}
