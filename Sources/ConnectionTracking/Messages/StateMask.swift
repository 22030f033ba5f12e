package import SocketValues

/// A set of states in two bytes: those that this version knows, and one bit for all others together.
package struct StateMask: OptionSet, Hashable, Sendable {
    /// Bit *n* is the state of number *n*; bit 15 is every state from 15 on.
    package var rawValue: UInt16

    /// A set of any bits.
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Every state.
    package static let all = StateMask(rawValue: .max)

    /// One state.
    package init(_ state: TCPState) { rawValue = 1 << UInt16(min(state.rawValue, 15)) }

    /// Whether the state is in the set.
    package func contains(_ state: TCPState) -> Bool { !isDisjoint(with: StateMask(state)) }
}
