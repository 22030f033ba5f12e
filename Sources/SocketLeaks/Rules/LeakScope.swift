/// What sockets are made in and have to be closed by the end of: a command with its processes, a test, a suite.
///
/// Compared by identity. Around a test there may be its suite.
package final class LeakScope: Sendable {
    /// The name that people know it by.
    package let name: String
    /// What counts as a leak of it.
    package let rules: LeakRules
    /// Whether a leak of it is no failure.
    package let onlyWarns: Bool
    /// The scope that it lies in.
    package let parent: LeakScope?

    /// A scope.
    package init(_ name: String, rules: LeakRules, onlyWarns: Bool = false, in parent: LeakScope? = nil) {
        (self.name, self.rules, self.onlyWarns, self.parent) = (name, rules, onlyWarns, parent)
    }

    /// The scope and those that it lies in, the innermost first.
    private var lineage: [LeakScope] { Array(sequence(first: self) { $0.parent }) }

    /// The innermost scope that all of these are or lie in; nil where there is none.
    package static func innermost(around scopes: [LeakScope]) -> LeakScope? {
        scopes.first?.lineage.first { candidate in scopes.allSatisfy { $0.lineage.contains(candidate) } }
    }
}

extension LeakScope: Hashable {
    package static func == (left: LeakScope, right: LeakScope) -> Bool { left === right }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
