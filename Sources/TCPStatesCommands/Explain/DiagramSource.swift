internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// The state machine as a picture's source, for programs that draw.
enum DiagramSource {
    /// In the language of Graphviz.
    static func appendDOT(_ counts: StateCounts?, marking marked: Set<TCPState>, to text: inout TextBuffer) {
        text.append("digraph TCP {\n")
        text.append("  node [shape=box style=rounded fontname=\"Helvetica\"]\n")
        text.append("  edge [fontname=\"Helvetica\" fontsize=10]\n")
        for state in states {
            let count = number(of: state, counts).map { "\\n\($0)" } ?? ""
            let mark = marked.contains(state) ? " penwidth=3" : ""
            text.append("  \(state) [label=\"\(state)\(count)\"\(mark)]\n")
        }
        // One box for where it begins and one for where it ends, or every arrow would lead around the others.
        text.append("  END [label=\"CLOSED\"]\n")
        for step in steps {
            let style = step.isAbrupt ? " style=dashed" : ""
            let end = step.to == .closed ? "END" : step.to.description
            text.append("  \(step.origin) -> \(end) [label=\"\(step.label)\"\(style)]\n")
        }
        text.append("}\n")
    }

    /// In the language of Mermaid, which many sites draw from Markdown.
    static func appendMermaid(_ counts: StateCounts?, marking marked: Set<TCPState>, to text: inout TextBuffer) {
        text.append("stateDiagram-v2\n")
        for state in states {
            let count = number(of: state, counts).map { " (\($0))" } ?? ""
            text.append("    state \"\(state)\(count)\" as \(state)\n")
        }
        // A colon ends a label's name, nothing else in it needs care.
        for step in steps { text.append("    \(step.origin) --> \(step.to): \(step.label)\n") }
        guard !marked.isEmpty else { return }
        text.append("    classDef marked stroke-width:4px\n")
        text.append("    class \(marked.map(\.description).sorted().joined(separator: ",")) marked\n")
    }

    /// Returns the number of sockets in the state; nil for none.
    private static func number(of state: TCPState, _ counts: StateCounts?) -> Int? {
        counts.flatMap { $0[state] > 0 ? $0[state] : nil }
    }

    /// Those of RFC 9293, where a connection begins first.
    private static let states = [.closed] + TCPState.allCases.filter { $0 != .bound && $0 != .closed }

    /// Its steps, without those into CLOSED that every state has: they would hide the others.
    static let steps = TCPStateMachine.steps.filter { step in
        let isHandshake = step.from == .synSent || step.from == .synReceived
        return step.from != .bound && step.to != .bound && (isHandshake || !step.isAbrupt)
    }
}

extension TCPStep {
    /// The state in which a person sees the step begin: the child that a SYN makes comes from the listener.
    var origin: TCPState { from == .closed && to == .synReceived ? .listen : from }

    /// Whether it is an end without FINs.
    fileprivate var isAbrupt: Bool {
        guard to == .closed, let usual = triggers.first else { return false }
        return usual == .receiveRST || usual == .abort || usual == .timeout
    }
}
