/// How much a search for forgotten sockets has seen.
public struct SearchCoverage: Hashable, Sendable {
    /// Which processes were read, and which could not be.
    public var processes: ScanCoverage
    /// The processes that were asked for by their numbers and have ended; a stranger that has the number now is not read.
    public var ended: [ProcessIdentity]
    /// The number of network namespaces that could not be read, of those that the processes are in. TCP sockets of these
    /// processes are not judged.
    public var unreadableNamespaces: Int

    /// What a search has seen.
    public init(
        processes: ScanCoverage = ScanCoverage(),
        ended: [ProcessIdentity] = [],
        unreadableNamespaces: Int = 0
    ) {
        (self.processes, self.ended) = (processes, ended)
        self.unreadableNamespaces = unreadableNamespaces
    }

    /// Whether every process that was asked for, and every socket of theirs, was seen.
    public var isComplete: Bool { processes.isComplete && ended.isEmpty && unreadableNamespaces == 0 }
}

extension SearchCoverage: CustomStringConvertible {
    /// One line: what was searched; where something could not be, what, and what would make it work.
    public var description: String {
        guard !isComplete else { return "searched \(processes)" }
        var parts: [String] = []
        func number(_ count: Int, _ one: String, _ many: String) -> String {
            count == 1 ? "1 \(one)" : "\(count) \(many)"
        }
        if !processes.isComplete { parts.append("\(processes.gaps): \(processes.remedy)") }
        if unreadableNamespaces > 0 {
            let which = number(unreadableNamespaces, "network namespace", "network namespaces")
            parts.append("\(which) cannot be read: it takes CAP_SYS_ADMIN")
        }
        if !ended.isEmpty {
            let numbers = ended.map { "\($0.pid)" }.joined(separator: ", ")
            parts.append("\(ended.count == 1 ? "process" : "processes") \(numbers) ended")
        }
        return "not all was searched: " + parts.joined(separator: "; ")
    }
}
