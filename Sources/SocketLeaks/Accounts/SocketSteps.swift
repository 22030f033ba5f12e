package import SockDiag

/// The steps of a socket in their order: the first ones, which say how old it is and who opened it, and the latest.
package struct SocketSteps: Sendable {
    /// A connection has a handful of steps; of a descriptor that is used again and again these are kept.
    private static let limit = 32

    /// The steps that are kept.
    package private(set) var all: [Transition] = []

    /// No steps.
    package init() {}

    /// Adds the latest step.
    package mutating func append(_ step: Transition) {
        if all.count == Self.limit { all.remove(at: Self.limit / 2) }
        all.append(step)
    }
}
