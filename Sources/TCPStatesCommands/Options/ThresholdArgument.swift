internal import ArgumentParser
internal import TCPDiagnosis

/// A threshold of a command line: `close-wait=50`.
struct ThresholdArgument {
    /// What can be set.
    enum Name: String, CaseIterable {
        case halfOpen = "half-open"
        case halfOpenCount = "half-open-count"
        case cookies
        case acceptQueue = "accept-queue"
        case drops
        case closeWait = "close-wait"
        case closeWaitAge = "close-wait-age"
        case ports
        case finWait2 = "fin-wait-2"
        case orphans
        case unanswered
        case retransmissions
        case retransmissionRate = "retransmission-rate"
        case zeroWindow = "zero-window"
        case unacknowledged
        case unacknowledgedAge = "unacknowledged-age"
        case idle
        case idleAge = "idle-age"
        case memory
        case conntrack

        /// Where it is kept; nil for those that are times.
        fileprivate var number: WritableKeyPath<Thresholds, Int>? {
            switch self {
            case .halfOpen: \.halfOpen
            case .halfOpenCount: \.halfOpenCount
            case .cookies: \.cookies
            case .acceptQueue: \.acceptQueue
            case .drops: \.drops
            case .closeWait: \.closeWait
            case .closeWaitAge, .unacknowledgedAge, .idleAge: nil
            case .ports: \.ports
            case .finWait2: \.finWait2
            case .orphans: \.orphans
            case .unanswered: \.unanswered
            case .retransmissions: \.retransmissions
            case .retransmissionRate: \.retransmissionRate
            case .zeroWindow: \.zeroWindow
            case .unacknowledged: \.unacknowledged
            case .idle: \.idle
            case .memory: \.memory
            case .conntrack: \.conntrack
            }
        }
    }

    private let set: (inout Thresholds) -> Void

    /// Reads the word of a command line.
    init(word: String) throws {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let name = Name(rawValue: parts[0]) else {
            let known = Name.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("no threshold '\(word)'; a name, = and a value, as close-wait=50; there are \(known)")
        }
        guard let path = name.number else {
            let age = try DurationArgument(word: parts[1]).duration
            switch name {
            case .unacknowledgedAge: set = { $0.unacknowledgedAge = age }
            case .idleAge: set = { $0.idleAge = age }
            default: set = { $0.closeWaitAge = age }
            }
            return
        }
        let digits = parts[1].hasSuffix("%") ? String(parts[1].dropLast()) : parts[1]
        guard let number = UInt32(digits), number > 0 else {
            throw ValidationError("no number '\(parts[1])' for \(parts[0]); 1 is the least")
        }
        set = { $0[keyPath: path] = Int(number) }
    }

    /// Changes the thresholds.
    func apply(to thresholds: inout Thresholds) { set(&thresholds) }
}
