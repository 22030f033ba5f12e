/// A filter as steps: each tests one thing and says which step comes next if it holds, and which if not. All jumps go
/// forward.
struct FilterProgram: Sendable {
    struct Step: Sendable {
        let test: FilterTest
        let yes: Int
        let no: Int
        /// Whether the filter finds fewer sockets where the test holds for more: it stands under an odd number of
        /// negations.
        let isNegated: Bool
    }

    let steps: [Step]
    let externals: [SocketFilter.External]

    /// The end where the socket is found, as a step's number.
    var accept: Int { steps.count }
    /// The end where it is not.
    var reject: Int { steps.count + 1 }

    /// Whether the filter finds a socket; `external` answers what the socket's record does not hold.
    func finds(_ socket: borrowing SocketRecord, external: (SocketFilter.External) -> Bool) -> Bool {
        let steps = steps.span
        var next = 0
        while next < steps.count {
            let step = steps[next]
            let holds =
                if case .external(let number) = step.test { external(externals[number]) } else {
                    step.test.holds(for: socket)
                }
            next = holds ? step.yes : step.no
        }
        return next == accept
    }
}

extension FilterProgram {
    init(_ filter: SocketFilter, _ names: FilterNames) throws(KernelError) {
        // Backwards, so that where a step goes to is known when it is written: the notation's end is the expression's
        // outermost operator, then come its operands, the right one first.
        var reversed: [(test: FilterTest, yes: Goal, no: Goal, isNegated: Bool)] = []
        var externals: [SocketFilter.External] = []
        var pending = [Pending(yes: .accept, no: .reject, isNegated: false)]
        for node in filter.nodes.reversed() {
            guard var goals = pending.popLast() else { break }
            if goals.yes == .following { goals.yes = .step(reversed.count - 1) }
            if goals.no == .following { goals.no = .step(reversed.count - 1) }
            switch node {
            case .term(let term):
                let test = try FilterTest(term, names, externals: &externals)
                reversed.append((test, goals.yes, goals.no, goals.isNegated))
            case .not: pending.append(Pending(yes: goals.no, no: goals.yes, isNegated: !goals.isNegated))
            case .and: pending += [Pending(yes: .following, no: goals.no, isNegated: goals.isNegated), goals]
            case .or: pending += [Pending(yes: goals.yes, no: .following, isNegated: goals.isNegated), goals]
            }
        }
        let count = reversed.count
        func number(_ goal: Goal) -> Int {
            switch goal {
            case .accept: count
            case .step(let index): count - 1 - index
            case .reject, .following: count + 1
            }
        }
        steps = reversed.reversed().map {
            Step(test: $0.test, yes: number($0.yes), no: number($0.no), isNegated: $0.isNegated)
        }
        self.externals = externals
    }

    /// Where a step goes to while the steps are written backwards.
    private enum Goal: Equatable {
        case accept, reject
        /// A step by its number from the end.
        case step(Int)
        /// The step that was written last when this goal's turn comes: the right operand's first one.
        case following
    }

    /// The goals of an operand that is still to be written.
    private struct Pending {
        var yes: Goal
        var no: Goal
        let isNegated: Bool
    }
}
