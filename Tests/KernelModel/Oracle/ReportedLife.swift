internal import ConnectionTracking
internal import SocketValues

/// A transition as it was reported.
struct ReportedTransition {
    var from: TCPState?
    var to: TCPState
    var via: [TCPState]
    var certainty: Transition.Certainty
    var source: Transition.Source
    var time: UInt64
    /// When it was reported.
    var learned: UInt64
    var cause: TCPStep.Trigger?
    var pid: Int32?
    var reason: ResetReason?
    /// Whether it was reported when the report of a RST may have been lost.
    var isInDoubt: Bool
}

/// One life as it was reported.
struct ReportedLife {
    let cookie: SocketCookie
    let incarnation: UInt8
    /// The state in which it was, where it was reported as existing, or began with another one than CLOSED.
    var existing: TCPState?
    /// When that was reported.
    var existingAt: UInt64 = 0
    var transitions: [ReportedTransition] = []
    var state: TCPState
    var isEnded = false
    var side = OpeningSide.unknown
    var final: FinalCounters?
    /// Which report of all sockets it was part of.
    var epoch = 0
    /// The indices of ``transitions`` before which the state was reported anew.
    var reportedAnew: [(index: Int, state: TCPState)] = []

    /// The ports that it was reported with; 0 where none was.
    var localPort: UInt16 = 0
    var remotePort: UInt16 = 0

    /// Whether it may be a life between these endpoints, as far as both are known.
    func isCompatible(with endpoints: Endpoints) -> Bool {
        remotePort == 0 || endpoints.remotePort == 0
            || remotePort == endpoints.remotePort
                && (localPort == 0 || endpoints.localPort == 0 || localPort == endpoints.localPort)
    }

    /// The transitions in a line.
    var text: String {
        var text = existing.map { "[\($0)]" } ?? ""
        for transition in transitions {
            let via = transition.via.isEmpty ? "" : "(\(transition.via.map(\.description).joined(separator: ",")))"
            text +=
                " \(transition.from?.description ?? "?")→\(via)\(transition.to) \(transition.certainty) \(transition.time / 1000)µs"
        }
        return text
    }
}
