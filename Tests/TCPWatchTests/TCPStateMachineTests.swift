import SockDiag
import TCPWatch
import Testing

/// RFC 9293, section 3.3.2, figure 5, written out: a row for each arrow. CLOSED → SYN_RCVD stands for the figure's
/// LISTEN → SYN-RECEIVED, as the child and not the listener takes it. The figure's LISTEN → SYN-SENT, a listener that
/// sends, exists in no socket interface.
private let figure: [(TCPState, TCPState, TCPStep.Trigger)] = [
    (.closed, .listen, .listen),
    (.closed, .synSent, .connect),
    (.listen, .closed, .close),
    (.closed, .synReceived, .receiveSYN),
    (.synSent, .synReceived, .receiveSYN),
    (.synSent, .established, .receiveSYNACK),
    (.synSent, .closed, .close),
    (.synReceived, .established, .receiveACK),
    (.synReceived, .finWait1, .close),
    (.established, .finWait1, .close),
    (.established, .closeWait, .receiveFIN),
    (.finWait1, .finWait2, .receiveACK),
    (.finWait1, .closing, .receiveFIN),
    (.finWait1, .timeWait, .receiveFINACK),
    (.finWait2, .timeWait, .receiveFIN),
    (.closing, .timeWait, .receiveACK),
    (.closeWait, .lastAck, .close),
    (.lastAck, .closed, .receiveACK),
    (.timeWait, .closed, .timeWaitTimeout),
]

/// What the text of section 3.10 and Linux have beyond the figure.
private let beyondTheFigure: [(TCPState, TCPState)] = [
    (.closed, .bound), (.bound, .listen), (.bound, .synSent), (.bound, .closed),
    (.synReceived, .closeWait), (.synReceived, .closed), (.established, .closed), (.finWait1, .closed),
    (.finWait2, .closed), (.closeWait, .closed), (.closing, .closed),
]

@Suite struct TCPStateMachineTests {
    @Test func `Where a rare step must have been taken, no other is made up`() {
        #expect(
            TCPStateMachine.passed(from: .closed, to: .closing, side: .passive) == [
                .synReceived, .established, .finWait1,
            ]
        )
        #expect(TCPStateMachine.passed(from: .synReceived, to: .closing) == [.established, .finWait1])
    }

    @Test("Every arrow of the RFC's figure is a step, with the figure's trigger")
    func figureIsThere() {
        for (from, to, trigger) in figure {
            let step = TCPStateMachine.step(from: from, to: to)
            #expect(step?.triggers.contains(trigger) == true, "\(from) → \(to) by \(trigger)")
        }
    }

    @Test(
        "A state that this version does not know is passed to and from without end",
        arguments: [14, 255] as [UInt8]
    )
    func unknownStatesAreNoTrap(number: UInt8) {
        let unknown = TCPState(rawValue: number)
        for state in TCPState.allCases {
            let passed =
                TCPStateMachine.passed(from: state, to: unknown) + TCPStateMachine.passed(from: unknown, to: state)
            #expect(!passed.contains(unknown))
        }
    }

    @Test("Of all pairs of states exactly the figure's and the text's are steps, and each is listed once")
    func noOtherStepIsLegal() {
        struct Pair: Hashable { let from, to: TCPState }
        let legal = Set(figure.map { Pair(from: $0.0, to: $0.1) } + beyondTheFigure.map { Pair(from: $0.0, to: $0.1) })
        #expect(TCPStateMachine.steps.count == legal.count)
        for from in TCPState.allCases {
            for to in TCPState.allCases {
                let step = TCPStateMachine.step(from: from, to: to)
                #expect((step != nil) == legal.contains(Pair(from: from, to: to)), "\(from) → \(to)")
                #expect(step?.triggers.isEmpty != true)
            }
        }
    }

    @Test(
        "Between every pair of states, each way is made of legal steps, enters no state twice, and the shortest is first"
    )
    func waysAreLegal() {
        for from in TCPState.allCases {
            for to in TCPState.allCases {
                let ways = TCPStateMachine.ways(from: from, to: to)
                #expect(ways.map(\.count) == ways.map(\.count).sorted())
                #expect(Set(ways).count == ways.count)
                #expect((ways.first?.count == 1) == (TCPStateMachine.step(from: from, to: to) != nil))
                for way in ways {
                    #expect(way.last == to)
                    #expect(Set([from] + way).count == way.count + 1)
                    #expect(!way.dropLast().contains(.closed))
                    for (one, next) in zip([from] + way, way) {
                        #expect(TCPStateMachine.step(from: one, to: next) != nil, "\(one) → \(next) in \(way)")
                    }
                }
            }
        }
    }

    @Test("Every state but CLOSED can end, every state can begin, and no connection goes back to its handshake")
    func everyStateIsReachable() {
        for state in TCPState.allCases where state != .closed {
            #expect(!TCPStateMachine.ways(from: .closed, to: state).isEmpty, "\(state)")
            #expect(!TCPStateMachine.ways(from: state, to: .closed).isEmpty, "\(state)")
        }
        let later: [TCPState] = [.established, .finWait1, .finWait2, .closeWait, .closing, .lastAck, .timeWait]
        for state in later {
            for early: TCPState in [.bound, .listen, .synSent, .synReceived] {
                #expect(TCPStateMachine.ways(from: state, to: early).isEmpty, "\(state) → \(early)")
            }
        }
    }

    @Test("The ways of an ordinary life are the textbook's")
    func textbook() {
        #expect(
            TCPStateMachine.ways(from: .closed, to: .established).prefix(2) == [
                [.synSent, .established], [.synReceived, .established],
            ]
        )
        #expect(
            TCPStateMachine.ways(from: .established, to: .timeWait) == [
                [.finWait1, .timeWait], [.finWait1, .finWait2, .timeWait], [.finWait1, .closing, .timeWait],
            ]
        )
        #expect(TCPStateMachine.ways(from: .closeWait, to: .closed) == [[.closed], [.lastAck, .closed]])
        #expect(TCPStateMachine.ways(from: .timeWait, to: .established).isEmpty)
    }
}
