package import ConnectionTracking
package import SocketValues

/// One thing that a journal holds, in the order in which it was learned.
///
/// A namespace watcher has a number in the journal: from ``namespace(watcher:_:_:)`` to ``namespaceEnded(watcher:)``.
package enum JournalEntry: Hashable, Sendable {
    /// A network namespace is watched from now on; nil for the one of the watcher where none was named.
    case namespace(watcher: UInt32, NetworkNamespace?, TrackerConfiguration)
    /// Nothing more comes of a namespace.
    case namespaceEnded(watcher: UInt32)
    /// The sockets of a namespace will be reported anew, when an input says so.
    case socketsExpected(watcher: UInt32)
    /// Something was learned: what a tracker is given.
    case input(watcher: UInt32, Input)
    /// The kernel's message about a socket that exists, of which a report shows more than a tracker reads.
    case message(watcher: UInt32, [UInt8])
    /// Who holds a socket, as far as it was found by now.
    case owners(watcher: UInt32, SocketCookie, [SocketOwner])
    /// A segment was sent again, of which no tracker is told; without its namespace and owners.
    case retransmission(watcher: UInt32, Retransmission)
    /// Something was lost, in a way that no tracker is given; without its namespace, which is the watcher's where there is one.
    case gap(watcher: UInt32?, Gap)
    /// The machine cannot keep the interval, and keeps this one.
    case slowed(Duration, at: EventTime)
    /// The journal was closed in order. Nothing follows.
    case end
}

/// The configuration of a tracker. Here it may be confused with no other.
package typealias TrackerConfiguration = ConnectionTracking.ConnectionTracker.Configuration
