package import SocketLeaks
package import Testing

/// The time of a test, of one case of a parameterized test, or of a suite: what appears in it is its own.
///
/// Compared by identity. Around a test's window there may be that of its suite.
package final class LeakWindow: LeakScope {
    /// The window of the test that the current task belongs to, as far as tasks inherit it: child tasks and `Task { }` do,
    /// detached tasks and threads do not.
    @TaskLocal package static var current: LeakWindow?

    /// What people know the test by.
    let name: String
    /// What counts as a leak.
    package let rules: LeakRules
    /// What a leak is.
    let severity: Issue.Severity
    /// The window that this one lies in.
    package let parent: LeakWindow?

    /// A window in the current one.
    package init(_ name: String, rules: LeakRules, severity: Issue.Severity) {
        self.name = name
        self.rules = rules
        self.severity = severity
        parent = Self.current
    }
}

extension LeakWindow: Hashable {
    package static func == (left: LeakWindow, right: LeakWindow) -> Bool { left === right }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
