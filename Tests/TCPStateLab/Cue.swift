/// What the scripted peer is to send, in terms of what it has sent and seen; ``Conversation`` makes the segment of it.
///
/// ```swift
/// try peer.send(.fin)
/// try peer.send(.fin.acknowledging(.nothingNew))       // crosses the kernel's FIN
/// try peer.send(.rst.shifted(by: 1))                   // in the window, but not exact
/// try peer.send(.syn.offering([.sackPermitted]))
/// ```
package struct Cue: Sendable {
    /// What the segment acknowledges, where it has an ACK.
    package enum Acknowledgment: Sendable {
        /// All that has come, read by the script or not.
        case everything
        /// No more than the segment before it.
        case nothingNew
        /// This number.
        case number(UInt32)
    }

    package let flags: SegmentFlags
    private(set) var payload: [UInt8] = []
    private(set) var options: [SegmentOption] = []
    private(set) var shift: Int32 = 0
    private(set) var acknowledgment = Acknowledgment.everything
    private(set) var window: UInt16 = .max

    /// A segment of these flags and nothing else.
    package init(_ flags: SegmentFlags) { self.flags = flags }

    package static let syn = Cue(.syn)
    package static let synAck = Cue(.synAck)
    package static let ack = Cue(.ack)
    /// FIN with ACK, as always.
    package static let fin = Cue([.fin, .ack])
    /// RST with the exact sequence number, and an ACK, which SYN_SENT asks for.
    package static let rst = Cue([.rst, .ack])

    /// Bytes for the kernel's program.
    package static func data(_ bytes: [UInt8]) -> Cue {
        Cue([.psh, .ack]).changing { $0.payload = bytes }
    }

    /// The same, so far from the sequence number that would be right. Only a SYN moves the peer's own count with it.
    package func shifted(by distance: Int32) -> Cue { changing { $0.shift = distance } }
    package func carrying(_ bytes: [UInt8]) -> Cue { changing { $0.payload = bytes } }
    package func acknowledging(_ what: Acknowledgment) -> Cue { changing { $0.acknowledgment = what } }
    package func offering(_ options: [SegmentOption]) -> Cue { changing { $0.options = options } }
    /// The same, with room for so many bytes more (unscaled).
    package func window(_ bytes: UInt16) -> Cue { changing { $0.window = bytes } }

    private func changing(_ change: (inout Cue) -> Void) -> Cue {
        var copy = self
        change(&copy)
        return copy
    }
}
