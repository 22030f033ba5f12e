/// What a filter says of a socket of which not all is known.
package enum FilterVerdict: Hashable, Sendable {
    /// It finds the socket, whatever the rest is.
    case finds
    /// It does not.
    case passesOver
    /// It depends on these terms, which cannot be answered.
    case undecided([String])
}
