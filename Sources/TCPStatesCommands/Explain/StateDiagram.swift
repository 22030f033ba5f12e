internal import SockDiag
internal import TCPRecords
internal import TCPWatch

/// The state diagram of RFC 9293, figure 5, drawn for a terminal of 80 columns. Where things stand is said here; what
/// the arrows mean comes from ``/TCPWatch/TCPStateMachine``.
struct StateDiagram {
    /// An arrow: the step, its way from box to box, and where its label is.
    private struct Arrow {
        let from, to: TCPState
        let path: [(Int, Int)]
        let label: (Int, Int)
    }

    private static let boxWidth = 20
    private static let size = (width: 80, height: 39)

    private static let boxes: [(state: TCPState, x: Int, y: Int)] = [
        (.closed, 30, 0), (.listen, 0, 6), (.synSent, 60, 6), (.synReceived, 0, 12), (.established, 30, 18),
        (.finWait1, 0, 24), (.closeWait, 60, 24), (.finWait2, 0, 30), (.closing, 30, 30), (.lastAck, 60, 30),
        (.timeWait, 30, 36),
    ]

    private static let arrows: [Arrow] = [
        Arrow(from: .closed, to: .listen, path: [(29, 1), (9, 1), (9, 5)], label: (13, 0)),
        Arrow(from: .closed, to: .synSent, path: [(50, 1), (70, 1), (70, 5)], label: (53, 0)),
        // The child that a listener's SYN makes; the listener stays.
        Arrow(from: .closed, to: .synReceived, path: [(9, 9), (9, 11)], label: (11, 10)),
        Arrow(from: .synSent, to: .synReceived, path: [(59, 7), (27, 7), (27, 13), (20, 13)], label: (36, 6)),
        Arrow(from: .synSent, to: .established, path: [(70, 9), (70, 19), (50, 19)], label: (53, 18)),
        Arrow(from: .synReceived, to: .established, path: [(14, 15), (14, 19), (29, 19)], label: (18, 18)),
        Arrow(from: .synReceived, to: .finWait1, path: [(4, 15), (4, 23)], label: (6, 21)),
        Arrow(from: .established, to: .finWait1, path: [(35, 21), (35, 25), (20, 25)], label: (21, 24)),
        Arrow(from: .established, to: .closeWait, path: [(44, 21), (44, 25), (59, 25)], label: (47, 24)),
        Arrow(from: .finWait1, to: .finWait2, path: [(4, 27), (4, 29)], label: (6, 28)),
        Arrow(from: .finWait1, to: .closing, path: [(18, 27), (18, 28), (39, 28), (39, 29)], label: (21, 27)),
        Arrow(
            from: .finWait1,
            to: .timeWait,
            path: [(12, 27), (12, 29), (24, 29), (24, 34), (34, 34), (34, 35)],
            label: (10, 34)
        ),
        Arrow(from: .closeWait, to: .lastAck, path: [(70, 27), (70, 29)], label: (55, 28)),
        Arrow(from: .finWait2, to: .timeWait, path: [(4, 33), (4, 37), (29, 37)], label: (8, 36)),
        Arrow(from: .closing, to: .timeWait, path: [(42, 33), (42, 35)], label: (44, 34)),
        Arrow(from: .lastAck, to: .closed, path: [(70, 33), (70, 35)], label: (72, 34)),
        Arrow(from: .timeWait, to: .closed, path: [(50, 37), (59, 37)], label: (53, 36)),
    ]

    /// The steps that are drawn.
    static var drawn: [TCPStep] { arrows.compactMap { TCPStateMachine.step(from: $0.from, to: $0.to) } }

    /// Appends the diagram, with how many sockets are in each state where that is known.
    static func append(_ counts: StateCounts?, to text: inout TextBuffer, hasColor: Bool) {
        var canvas = Canvas(width: size.width, height: size.height)
        for arrow in arrows {
            guard let step = TCPStateMachine.step(from: arrow.from, to: arrow.to) else { continue }
            canvas.arrow(arrow.path.map { Canvas.Point(x: $0.0, y: $0.1) })
            canvas.write(step.label, at: Canvas.Point(x: arrow.label.0, y: arrow.label.1))
        }
        for box in boxes {
            canvas.box(box.state, counts?[box.state], at: Canvas.Point(x: box.x, y: box.y), width: boxWidth)
        }
        canvas.box(.closed, nil, at: Canvas.Point(x: 60, y: 36), width: boxWidth)
        canvas.append(to: &text, hasColor: hasColor)
    }
}

/// The number of sockets in each state.
struct StateCounts {
    private var counts = [Int](repeating: 0, count: 256)

    /// Counts those of a namespace.
    init(of namespace: NetworkNamespace) throws(KernelError) {
        var counts = counts
        var client = try SockDiagClient(in: namespace)
        try client.forEach { counts[Int($0.state.rawValue)] += 1 }
        self.counts = counts
    }

    subscript(state: TCPState) -> Int { counts[Int(state.rawValue)] }
}
