internal import ConnectionTracking
internal import SocketValues

/// The rows of the dumps of one network namespace, of which the next dump repeats most: a journal then holds how many.
///
/// A dump is compared with the last one of the same scope, in the kernel's order. What has gone meanwhile is passed over.
/// The writer and the reader take the same steps and so have the same rows. Constant work a row, and none for one that is
/// the same but to compare it; 80 bytes for each socket and scope.
struct DumpRows {
    /// How a row is written.
    enum Kind: Hashable {
        /// As the last dump has it, after so many rows that are there no more.
        case same(passing: Int)
        /// The same, but for its timer, which is so many milliseconds from where it would be.
        case sameButTimer(passing: Int, drift: Int64)
        /// Anew.
        case new
    }

    private struct Dump {
        var rows: [SocketRow] = []
        var began: UInt64 = 0
    }

    /// The last dump of each scope.
    private var last = [Dump](repeating: Dump(), count: DumpScope.allCases.count)
    private var scope: DumpScope?
    /// The last dump of the scope, in which what has changed is changed.
    private var rows: [SocketRow] = []
    /// The next row of it.
    private var position = 0
    /// Rows of it that are there no more, in order.
    private var gone: [Range<Int>] = []
    /// Rows that were not in it.
    private var added: [SocketRow] = []
    /// How many of them follow one another, and the position of the row that they come before.
    private var additions: [(position: Int, count: Int)] = []
    private var began: UInt64 = 0
    /// Since that dump began, milliseconds.
    private var elapsed: Int64 = 0

    /// So many rows may have gone at one place.
    static let window = 16
    /// What fits into seven bits.
    static let drifts: ClosedRange<Int64> = -64...63

    /// A dump begins.
    mutating func begin(_ scope: DumpScope, at time: UInt64) {
        end()
        self.scope = scope
        let index = Int(scope.rawValue)
        elapsed = Int64(bitPattern: time &- last[index].began) / 1_000_000
        swap(&rows, &last[index].rows)
        (position, began) = (0, time)
    }

    /// The dump has ended.
    mutating func end() {
        guard let scope else { return }
        let index = Int(scope.rawValue)
        if position < rows.count { gone.append(position..<rows.count) }
        merge()
        swap(&rows, &last[index].rows)
        last[index].began = began
        self.scope = nil
    }

    /// Takes the next row: how it is written.
    mutating func take(_ row: SocketRow) -> Kind {
        guard scope != nil else { return .new }
        for index in position..<min(position + Self.window, rows.count) where rows[index].isOfSocket(row) {
            let passed = index - position
            let isSame = rows[index].isEqualButForTimer(row)
            if isSame, rows[index].timer == row.timer {
                pass(passed)
                return .same(passing: passed)
            }
            let drift = isSame ? drift(of: row, at: index) : nil
            pass(passed)
            rows[index] = row
            return drift.map { .sameButTimer(passing: passed, drift: $0) } ?? .new
        }
        add(row)
        return .new
    }

    private mutating func add(_ row: SocketRow) {
        added.append(row)
        if additions.last?.position == position {
            additions[additions.count - 1].count += 1
        } else {
            additions.append((position, 1))
        }
    }

    /// Takes the next row that is written as the same; nil where there is none.
    mutating func takeSame(passing count: Int, drift: Int64? = nil) -> SocketRow? {
        guard scope != nil, count >= 0, count < rows.count - position else { return nil }
        let index = position + count
        if let drift {
            guard let expected = expectedTimer(at: index), let timer = UInt32(exactly: expected + drift) else {
                return nil
            }
            rows[index].timer = timer
        }
        pass(count)
        return rows[index]
    }

    /// Goes on to behind the row after so many that have gone.
    private mutating func pass(_ count: Int) {
        if count > 0 { gone.append(position..<(position + count)) }
        position += count + 1
    }

    /// Where the timer of a row of the last dump would be by now.
    private func expectedTimer(at index: Int) -> Int64? { rows[index].timer.map { Int64($0) &- elapsed } }

    /// How far the timer is from there, where it is not far.
    private func drift(of row: SocketRow, at index: Int) -> Int64? {
        guard let timer = row.timer, let expected = expectedTimer(at: index),
            Self.drifts.contains(Int64(timer) - expected)
        else { return nil }
        return Int64(timer) - expected
    }

    /// Takes out what has gone, and puts in what is new.
    private mutating func merge() {
        guard !gone.isEmpty || !added.isEmpty else { return }
        defer {
            gone = []
            (added, additions) = ([], [])
        }
        // As the first dump, which is the longest.
        guard !rows.isEmpty else { return swap(&rows, &added) }
        var merged: [SocketRow] = []
        merged.reserveCapacity(rows.count + added.count)
        var (start, first) = (0, 0)
        var next = additions[...]
        func keep(until end: Int) {
            if start < end { merged += rows[start..<end] }
            start = max(start, end)
        }
        func add(until end: Int) {
            while let addition = next.first, addition.position <= end {
                keep(until: addition.position)
                merged += added[first..<(first + addition.count)]
                first += addition.count
                next.removeFirst()
            }
        }
        for range in gone {
            add(until: range.lowerBound)
            keep(until: range.lowerBound)
            start = range.upperBound
        }
        add(until: .max)
        keep(until: rows.count)
        rows = merged
    }
}

extension SocketRow {
    fileprivate func isOfSocket(_ other: SocketRow) -> Bool {
        name.cookie == other.name.cookie && isMinisocket == other.isMinisocket
    }

    /// Whether both are equal but for the timer. Field by field: what the compiler makes of `==` is called through a table
    /// and copies both, which takes longer than all else that is done for a row.
    func isEqualButForTimer(_ other: SocketRow) -> Bool {
        name.endpoints.isSame(other.name.endpoints) && name.cookie.rawValue == other.name.cookie.rawValue
            && name.family.rawValue == other.name.family.rawValue && inode == other.inode && uid == other.uid
            && matching.rawValue == other.matching.rawValue && state.rawValue == other.state.rawValue
            && isMinisocket == other.isMinisocket
    }
}

extension Endpoints {
    fileprivate func isSame(_ other: Endpoints) -> Bool {
        localLow == other.localLow && remoteLow == other.remoteLow && localHigh == other.localHigh
            && remoteHigh == other.remoteHigh && localPort == other.localPort && remotePort == other.remotePort
            && interface == other.interface
    }
}
