internal import ConnectionTracking
internal import SocketValues

/// What was reported against what was true.
extension Oracle {
    /// The lives that one that was reported may be: mostly one; where nobody could see its end, it and the next.
    typealias Lives = ArraySlice<Int32>

    /// A dump's row may be so much older than the state that it shows.
    static var slack: UInt64 { 100_000_000 }

    /// Judges all that was reported.
    mutating func judge(_ kernel: Kernel, at now: UInt64) {
        judgeLosses(at: now)
        var isMerged: Set<Int> = []
        var tellings = [Int](repeating: -1, count: kernel.lives.count)
        for number in kernel.livesOfCookie.indices {
            guard violation == nil else { return }
            let (lives, mine) = (kernel.livesOfCookie[number], reportedOfCookie[number] ?? [])
            guard !mine.isEmpty else { continue }
            for index in mine where !reported[index].isEnded {
                fail(.neverEnds, reported[index].text, at: now, about: [reported[index].cookie])
            }
            var found: [(Int, Lives)] = []
            var worst: Violation?
            guard assign(mine[...], lives, kernel, &found, &worst) else {
                let cookies = [Kernel.cookie(UInt32(number))]
                let text = worst?.detail ?? "more lives were reported than there were"
                fail(worst?.kind ?? .reportedTwice, text, at: worst?.time ?? now, about: cookies)
                return
            }
            for (index, lives) in found {
                if lives.count > 1 || isNameless(reported[index], lives, kernel) { isMerged.insert(index) }
                for life in lives {
                    let other = tellings[Int(life)]
                    if other >= 0, !isMerged.contains(other), lives.count == 1, !hasTwin(Int(life), kernel) {
                        let cookies = [reported[index].cookie, reported[other].cookie]
                        let text = "\(reported[other].text) and \(reported[index].text) are one life"
                        fail(.reportedTwice, text, at: now, about: cookies)
                    }
                    tellings[Int(life)] = index
                }
            }
        }
        judgeCompleteness(tellings, kernel, at: now)
    }

    /// Finds for what was reported under a cookie the lives that it reports: in order, but that a dump may show the
    /// TIME_WAIT of an earlier one last.
    private func assign(
        _ mine: ArraySlice<Int>,
        _ lives: [Int32],
        _ kernel: Kernel,
        _ found: inout [(Int, Lives)],
        _ worst: inout Violation?
    ) -> Bool {
        guard let first = mine.first else { return true }
        for length in 1...max(lives.count, 1) {
            for start in lives.indices where start + length <= lives.count {
                let candidate = lives[start..<(start + length)]
                if length > 1, !isMergeable(candidate, kernel) { continue }
                let isCompatible = candidate.contains {
                    reported[first].isCompatible(with: kernel.lives[Int($0)].name.endpoints)
                }
                guard isCompatible else { continue }
                var check = LifeCheck(reported[first], candidate, self, kernel)
                if let problem = check.problem() {
                    // The candidate that explains most is the one to complain about.
                    if worst == nil || problem.time > worst?.time ?? 0 { worst = problem }
                    continue
                }
                found.append((first, candidate))
                // What precedes is left for others where dumps alone report it; and all of it, where a socket had
                // several connections between the same endpoints: what a dump shows of one, and what of the next,
                // nothing says. One that was there before, and is not reported as existing, is reported by its next
                // transition, which may be the TIME_WAIT that a lookup shows after the next has begun.
                let isUnordered = mode == .poll || habits.losesReports || !habits.reportsExisting
                let before = isUnordered ? lives[..<start] : []
                let isShared = isTwin(candidate, kernel) || isNameless(reported[first], candidate, kernel)
                let rest = Array(isShared ? lives[...] : before + lives[candidate.endIndex...])
                if assign(mine.dropFirst(), rest, kernel, &found, &worst) { return true }
                found.removeLast()
            }
        }
        return false
    }

    /// Whether dumps alone report, and another connection has been between the same endpoints: which is which nothing
    /// says.
    private func hasTwin(_ life: Int, _ kernel: Kernel) -> Bool {
        mode == .poll
            && kernel.lives.indices.contains {
                $0 != life && kernel.lives[$0].name.endpoints == kernel.lives[life].name.endpoints
            }
    }

    /// Whether the port of a connection was never reported, as reports of it were lost: no lookup finds what is left of
    /// it, and what a dump shows of that may be another's.
    func isNameless(_ reported: ReportedLife, _ lives: Lives, _ kernel: Kernel) -> Bool {
        reported.localPort == 0
            && lives.allSatisfy {
                kernel.lives[Int($0)].beganWithoutPort && kernel.lives[Int($0)].hasLost
            }
    }

    /// Whether they are several, between the same endpoints; or the first was reported before it had its port, and the
    /// report of its end, or of the beginning of the next, was lost.
    private func isTwin(_ lives: Lives, _ kernel: Kernel) -> Bool {
        guard lives.count > 1, let first = lives.first else { return false }
        if mode == .trace, kernel.lives[Int(first)].beganWithoutPort { return isMergeable(lives, kernel) }
        return lives.allSatisfy { kernel.lives[Int($0)].name.endpoints == kernel.lives[Int(first)].name.endpoints }
    }

    /// Whether nobody can distinguish one life from the next: dumps show the same socket with the same endpoints.
    private func isMergeable(_ lives: Lives, _ kernel: Kernel) -> Bool {
        let all = lives.map { kernel.lives[Int($0)] }
        guard mode == .poll || all.contains(where: \.hasLost), let first = all.first else { return false }
        return all.allSatisfy { $0.socket == first.socket && $0.socket >= 0 }
    }

    /// Whether nothing was lost that concerns a life, so that all that the kernel reported of it is reported by the
    /// tracker.
    func isStrict(_ life: TrueLife) -> Bool { mode == .trace && !life.hasLost && !habits.resynchronizes }

    private mutating func judgeCompleteness(_ tellings: [Int], _ kernel: Kernel, at now: UInt64) {
        for (index, life) in kernel.lives.enumerated() where tellings[index] < 0 {
            guard !life.cookies.isEmpty else { continue }
            let cookies = life.cookies.map { Kernel.cookie($0) }
            let states = life.transitions.map { "\($0.to) \($0.time / 1000)µs" }.joined(separator: ", ")
            let isLate = life.transitions.last.map { $0.time <= begun } ?? true
            guard !isLate, !habits.resynchronizes else { continue }
            if isStrict(life), life.transitions.contains(where: { $0.isReport && $0.time > begun }) {
                fail(.unreported, "the kernel reported it, and the tracker did not: \(states)", at: now, about: cookies)
            } else if mode == .poll, life.rows > 0, life.transitions.first?.time ?? 0 > begun,
                life.cookies.allSatisfy({ reportedOfCookie[Int($0)] == nil })
            {
                fail(
                    .unreported,
                    "dumps showed it, and the tracker did not report it: \(states)",
                    at: now,
                    about: cookies
                )
            }
        }
    }
}
