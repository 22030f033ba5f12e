/// Whose a socket is, as far as it is known.
package enum Attribution: Hashable, Sendable {
    /// It may have been made in any of these: they were open when it appeared.
    case candidates([LeakScope])
    /// It was made in this one; where it is nil, in none: by another program, in a test that is not checked, before all.
    case maker(LeakScope?)

    /// The scopes one of which it was made in.
    package var scopes: [LeakScope] {
        switch self {
        case .candidates(let scopes): scopes
        case .maker(let scope): scope.map { [$0] } ?? []
        }
    }

    /// Whether it is known, if only that it is nobody's.
    package var isKnown: Bool { if case .maker = self { true } else { false } }

    /// Whether it is known to be a scope's.
    package var isOwn: Bool { isKnown && !isForeign }

    /// Whether it is known to be nobody's.
    package var isForeign: Bool { self == .maker(nil) }
}
