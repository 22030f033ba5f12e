/// What sockets are made in and have to be closed by the end of: a command with its processes, a test, a suite.
package protocol LeakScope: Hashable, Sendable {
    /// What counts as a leak of it.
    var rules: LeakRules { get }
    /// The scope that it lies in.
    var parent: Self? { get }
}

extension LeakScope {
    /// The scope and those that it lies in, the innermost first.
    private var lineage: [Self] { Array(sequence(first: self) { $0.parent }) }

    /// The innermost scope that all of these are or lie in; nil where there is none.
    package static func innermost(around scopes: [Self]) -> Self? {
        scopes.first?.lineage.first { candidate in scopes.allSatisfy { $0.lineage.contains(candidate) } }
    }
}
