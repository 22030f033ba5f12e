internal import ConnectionTracking
internal import SocketValues

/// One life as it was told.
struct ToldLife {
    /// A transition as it was told.
    struct Step {
        var from: TCPState?
        var to: TCPState
        var via: [TCPState]
        var certainty: Transition.Certainty
        var source: Transition.Source
        var time: UInt64
        /// When it was told.
        var learned: UInt64
        var cause: TCPStep.Trigger?
        var pid: Int32?
        var reason: ResetReason?
        /// Whether it was told when the report of a RST may have been lost.
        var isInDoubt: Bool
    }

    let cookie: SocketCookie
    let incarnation: UInt8
    /// The state in which it was, where it was told as existing, or began with another one than CLOSED.
    var existing: TCPState?
    /// When that was told.
    var existingAt: UInt64 = 0
    var steps: [Step] = []
    var state: TCPState
    var isEnded = false
    var side = OpeningSide.unknown
    var final: FinalCounters?
    /// Which telling of all sockets it was part of.
    var epoch = 0
    /// The indices of ``steps`` before which the state was told anew.
    var retold: [(index: Int, state: TCPState)] = []

    /// The ports that it was told with; 0 where none was.
    var localPort: UInt16 = 0
    var remotePort: UInt16 = 0

    /// Whether it may be a life between these ends, as far as both are known.
    func isCompatible(with ends: Endpoints) -> Bool {
        remotePort == 0 || ends.remotePort == 0
            || remotePort == ends.remotePort && (localPort == 0 || ends.localPort == 0 || localPort == ends.localPort)
    }

    /// The transitions in a line.
    var text: String {
        var text = existing.map { "[\($0)]" } ?? ""
        for step in steps {
            let via = step.via.isEmpty ? "" : "(\(step.via.map(\.description).joined(separator: ",")))"
            text += " \(step.from?.description ?? "?")→\(via)\(step.to) \(step.certainty) \(step.time / 1000)µs"
        }
        return text
    }
}
