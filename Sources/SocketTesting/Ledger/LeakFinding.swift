package import SocketLeaks
package import Testing

/// Leaked sockets of which the same can be said.
package struct LeakFinding: Sendable {
    /// The sockets.
    package internal(set) var leaks: [SocketLeak]
    /// The scopes one of which they appeared in; a single one where that is known.
    let suspects: [LeakScope]

    /// The test or suite that it is reported at; nil where it is nobody's.
    package var place: LeakScope? { LeakScope.innermost(around: suspects) }

    /// Whether it is a failure: a warning where one of the suspects says so.
    package var severity: Issue.Severity { suspects.contains(where: \.onlyWarns) ? .warning : .error }

    /// Whether it is a failure.
    package var isFailure: Bool { severity == .error }

    /// The number of sockets that are described; of the others there is the number.
    private static let limit = 10
}

extension LeakFinding: CustomStringConvertible {
    /// What was left open, by whom as far as that is known, and each socket in a few lines.
    package var description: String {
        var lines = [leaks.count == 1 ? "a socket was left open" : "\(leaks.count) sockets were left open"]
        if suspects.count > 1 {
            let names = suspects.map(\.name).sorted()
            lines[0] += ", by one of \(names.count) tests that ran at once; which one is not known:"
            lines += names.prefix(Self.limit).map { "  \($0)" }
            if names.count > Self.limit { lines.append("  and \(names.count - Self.limit) more") }
        }
        lines += leaks.prefix(Self.limit).map(\.description)
        if leaks.count > Self.limit { lines.append("and \(leaks.count - Self.limit) more") }
        return lines.joined(separator: "\n")
    }
}
