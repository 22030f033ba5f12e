internal import ArgumentParser
internal import SockDiag
internal import TCPDiagnosis
internal import TCPRecords
internal import TCPWatch

/// What is to be explained.
enum Topic {
    /// What is walked through segment by segment.
    enum Walks: String, CaseIterable {
        case handshake, close

        func text(_ settings: KernelSettings) -> Walk {
            switch self {
            case .handshake: .handshake(settings)
            case .close: .close(settings)
            }
        }
    }

    case diagram
    case state(TCPState)
    case step(from: TCPState, to: TCPState)
    case walk(Walks)

    /// Reads the words of a command line.
    init(_ words: [String]) throws {
        if words.count == 1, let walk = Walks(rawValue: words[0].lowercased()) {
            self = .walk(walk)
            return
        }
        let states = try words.map(Self.state)
        switch states.count {
        case 0: self = .diagram
        case 1: self = .state(states[0])
        case 2: self = .step(from: states[0], to: states[1])
        default: throw ValidationError("explain takes one state or two; \"\(words[2])\" is too much")
        }
    }

    private static func state(_ word: String) throws -> TCPState {
        guard let state = TCPState(word) else {
            let known = TCPState.allCases.map(\.description) + Walks.allCases.map(\.rawValue)
            throw ValidationError("no state '\(word)'; there are \(known.joined(separator: ", "))")
        }
        return state == .newSynReceived ? .synReceived : state
    }

    var walk: Walks? { if case .walk(let walk) = self { walk } else { nil } }

    /// The states that it is about.
    var states: Set<TCPState> {
        switch self {
        case .diagram, .walk: []
        case .state(let state): [state]
        case .step(let from, let to): [from, to]
        }
    }

    /// Returns the number of sockets in each state. Where the kernel does not report them, that is said, and the rest
    /// explained.
    func counts(in namespace: NetworkNamespace) -> StateCounts? {
        do throws(KernelError) {
            return try StateCounts(of: namespace)
        } catch {
            TCPStates.complain("\(error)")
            return nil
        }
    }

    /// Writes the explanation for people.
    func explain(in namespace: NetworkNamespace, hasColor: Bool, to prose: inout Prose) throws {
        let settings = try KernelSettings(of: namespace)
        switch self {
        case .diagram: explainDiagram(counts(in: namespace), hasColor: hasColor, to: &prose)
        case .state(let state):
            let unlisted = state == .closed ? Self.unlisted(in: namespace) : nil
            explain(state, counts(in: namespace), unlisted, settings, to: &prose)
        case .step(let from, let to): explain(from, to, to: &prose)
        case .walk(let walk): walk.text(settings).append(settings, to: &prose)
        }
    }

    private func explainDiagram(_ counts: StateCounts?, hasColor: Bool, to prose: inout Prose) {
        StateDiagram.append(counts, to: &prose.text, hasColor: hasColor)
        prose.space()
        prose.entry("arrows", "What happens / what is sent then. In a box: how many sockets are in the state now.")
        prose.entry("", "Every state also ends in CLOSED by a RST, by a timeout, and LISTEN and SYN_SENT by close().")
        let bound = counts.map { ": \($0[.bound]) now" } ?? ""
        prose.entry("BOUND", "Linux's name for a socket between bind() and listen() or connect()\(bound).")
        prose.command("more", "tcpstates explain close-wait    tcpstates explain handshake")
    }

    private func explain(
        _ state: TCPState,
        _ counts: StateCounts?,
        _ unlisted: (count: Int, shortfall: String?)?,
        _ settings: KernelSettings,
        to prose: inout Prose
    ) {
        let count = counts.map { $0[state] + (unlisted?.count ?? 0) }
        prose.heading(state.description + (count.map { ": \($0) now" } ?? ""), StateColor.heading)
        prose.entry("means", state.meaning)
        if let unlisted {
            let rest = unlisted.shortfall.map { "; \($0)" } ?? ""
            prose.entry("of these", "\(unlisted.count) that no dump of the kernel lists, found by descriptors\(rest).")
        }
        guard let guide = StateGuide.guide(to: state, settings) else { return }
        prose.entry("who", guide.who)
        prose.entry("waits for", guide.waitsFor)
        var label = "comes from"
        for step in TCPStateMachine.steps where step.to == state && state != .closed {
            prose.entry(label, "\(step.origin): \(step.causes.joined(separator: " Or: "))")
            label = ""
        }
        label = "goes to"
        for step in TCPStateMachine.steps(from: state) where state != .closed || step.to != .synReceived {
            prose.entry(label, "\(step.to): \(step.causes.joined(separator: " Or: "))")
            label = ""
        }
        prose.entry("lasts", guide.lasts)
        prose.append(guide.settings, settings)
        prose.entry("many mean", guide.many)
        prose.entry("what to do", guide.remedy)
        prose.command("", guide.command)
    }

    /// How many sockets of a namespace no dump lists, and what was not searched for them.
    private static func unlisted(in namespace: NetworkNamespace) -> (count: Int, shortfall: String?) {
        do throws(KernelError) {
            let found = try UnlistedSockets()
            return (found.sockets(in: namespace).count, found.shortfall)
        } catch {
            return (0, "\(error)")
        }
    }

    private func explain(_ from: TCPState, _ to: TCPState, to prose: inout Prose) {
        prose.heading("\(from) → \(to)")
        if let step = Self.step(from, to) {
            for cause in step.causes { prose.entry(step.causes.first == cause ? "cause" : "or", cause) }
            prose.entry("before", "\(from): \(from.meaning)")
            return prose.entry("after", "\(to): \(to.meaning)")
        }
        guard from != to else { return prose.entry("", "It is the same state: no step.") }
        let ways = TCPStateMachine.ways(from: from, to: to)
        guard !ways.isEmpty else {
            return prose.entry("", "A connection in \(from) never comes to \(to). A new one of the same 4-tuple may.")
        }
        prose.entry("", "No step joins them. A connection comes from one to the other by:")
        for way in ways.prefix(6) {
            prose.entry("", ([from] + way).map(\.description).joined(separator: " → "))
        }
    }

    /// The step; a listener's SYN makes a child, which the machine begins in CLOSED.
    private static func step(_ from: TCPState, _ to: TCPState) -> TCPStep? {
        TCPStateMachine.step(from: from, to: to)
            ?? TCPStateMachine.steps.first { $0.origin == from && $0.to == to }
    }
}
