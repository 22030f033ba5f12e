/// What the first byte of an entry says. From ``driftBase`` on it is a row that differs from the last dump's by its timer
/// alone, and by how much.
enum JournalTag: UInt8 {
    // 0 is none: a hole in a file is no entry.
    case end = 1
    case header
    /// The time of what follows, as the difference from the last.
    case time
    /// The watcher of what follows.
    case watcher
    case namespace
    case namespaceEnded
    case socketsExpected
    case message
    case owners
    case gap
    case slowed

    case dumpBegan
    case row
    /// So many rows as the last dump has them.
    case sameRows
    /// So many rows of the last dump are there no more.
    case passedRows
    case dumpEnded
    case answer
    case destroyed
    case transition
    case retransmitted
    case reset
    case boundDestroyed
    case lost
    case wake
    case resynchronize
    case released
    case configured
    case matching
    case retransmission

    /// A row whose timer is where it would be, and for each more a drift of ``DumpRows/drifts``.
    static let driftBase: UInt8 = 0x80
}

/// The bits of a name's first byte.
struct JournalNameFlags: OptionSet {
    let rawValue: UInt8

    /// IPv4; the high words are 0.
    static let isIPv4 = JournalNameFlags(rawValue: 1 << 0)
    /// IPv6; without both, the family's number follows.
    static let isIPv6 = JournalNameFlags(rawValue: 1 << 1)
    /// The local address is that of the name before.
    static let hasSameLocal = JournalNameFlags(rawValue: 1 << 2)
    /// The remote address is that of the name before.
    static let hasSameRemote = JournalNameFlags(rawValue: 1 << 3)
    /// An interface follows.
    static let hasInterface = JournalNameFlags(rawValue: 1 << 4)
    /// The cookie is that of the name before.
    static let hasSameCookie = JournalNameFlags(rawValue: 1 << 5)
}

/// Which optional parts of a fact follow.
struct JournalFactFlags: OptionSet {
    let rawValue: UInt8

    static let hasMatching = JournalFactFlags(rawValue: 1 << 0)
    static let isMinisocket = JournalFactFlags(rawValue: 1 << 1)
    static let hasUID = JournalFactFlags(rawValue: 1 << 2)
    static let hasTimer = JournalFactFlags(rawValue: 1 << 3)
    static let hasPID = JournalFactFlags(rawValue: 1 << 4)
    static let hasRest = JournalFactFlags(rawValue: 1 << 5)
    static let hasCounters = JournalFactFlags(rawValue: 1 << 6)
    static let isRequest = JournalFactFlags(rawValue: 1 << 7)
    // In other facts, the same bits.
    static let hasControls = JournalFactFlags(rawValue: 1 << 4)
    static let hasIdleTime = JournalFactFlags(rawValue: 1 << 5)
    static let isUndecided = JournalFactFlags(rawValue: 1 << 7)
}
