package import SocketValues

/// What a ``ConnectionTracker`` wants done.
package enum Output: Hashable, Sendable {
    /// A connection, a listener or a bound socket changed its state. Owners and namespace are the driver's to add.
    indirect case transition(Transition)
    /// A socket that existed when watching began, or when the state was read anew.
    indirect case socket(TrackedSocket)
    /// All that existed have been reported; what follows happened since.
    case ready
    /// Something was lost.
    indirect case gap(Gap)
    /// Look a socket up, and answer by ``Input/Fact/answer(_:)``.
    case lookUp(Lookup)
    /// Dump the sockets as soon as may be.
    case dump(DumpScope)
}

/// A question about one socket.
package struct Lookup: Hashable, Sendable {
    /// What is asked for: with the cookie ``SocketValues/SocketCookie/any``, whichever socket has the endpoints.
    package var name: SocketName
    /// What it is about.
    package var purpose: Purpose
    /// The socket that it is about, where ``name`` has no cookie; else the same.
    package var subject: SocketCookie

    /// Why something is looked up.
    package enum Purpose: UInt8, Hashable, Sendable, CaseIterable {
        /// How a known socket is now.
        case state
        /// Who has the endpoints of a minisocket that is gone before its time.
        case successor
        /// What is left of a socket that was destroyed before anybody asked for it.
        case remains
        /// Whether there is a listener for such a socket.
        case listener
    }

    /// A question.
    package init(_ name: SocketName, _ purpose: Purpose, about subject: SocketCookie? = nil) {
        (self.name, self.purpose, self.subject) = (name, purpose, subject ?? name.cookie)
    }
}

/// A socket as a tracker knows it.
package struct TrackedSocket: Hashable, Sendable {
    /// Its name and endpoints.
    package var name: SocketName
    /// Its state.
    package var state: TCPState
    /// Whether it is a minisocket.
    package var isMinisocket: Bool
    /// Which connection of the socket it is.
    package var incarnation: UInt8
    /// The owner's uid, where it was ever known.
    package var uid: UInt32?
    /// The inode, where it was ever known.
    package var inode: UInt32?

    /// A socket.
    package init(
        _ name: SocketName,
        _ state: TCPState,
        isMinisocket: Bool = false,
        incarnation: UInt8 = 0,
        uid: UInt32? = nil,
        inode: UInt32? = nil
    ) {
        (self.name, self.state, self.isMinisocket) = (name, state, isMinisocket)
        (self.incarnation, self.uid, self.inode) = (incarnation, uid, inode)
    }
}

/// A socket as a tracker knows it now, for who counts what there is.
package struct KnownSocket: Sendable {
    /// Its name and endpoints.
    package var name: SocketName
    /// Its state.
    package var state: TCPState
    /// Which side opened its connection.
    package var side: OpeningSide
    /// When it has entered its state, monotonic nanoseconds; 0 where that was before watching began.
    package var enteredAt: UInt64
}
