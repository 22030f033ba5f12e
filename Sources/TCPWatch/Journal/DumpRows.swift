internal import ConnectionTracking
internal import SocketValues

/// The rows of the dumps of one network namespace, of which the next dump repeats most: a journal then holds how many.
///
/// A dump is compared with the last one of the same scope, in the kernel's order. What has gone meanwhile is passed over.
/// The writer and the reader take the same steps and so have the same rows. Amortised constant work a row; one row of
/// memory for each socket and scope, and one more while a dump runs.
struct DumpRows {
    /// How a row is told.
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
    private var previous: [SocketRow] = []
    /// The next row of the last dump.
    private var position = 0
    private var current = Dump()
    /// Between the beginnings of both, milliseconds.
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
        previous = last[index].rows
        elapsed = Int64(bitPattern: time &- last[index].began) / 1_000_000
        last[index] = Dump()
        position = 0
        current.began = time
        current.rows.reserveCapacity(previous.count)
    }

    /// The dump has ended.
    mutating func end() {
        guard let scope else { return }
        last[Int(scope.rawValue)] = current
        (previous, current, self.scope) = ([], Dump(), nil)
    }

    /// Takes the next row: how it is told.
    mutating func take(_ row: SocketRow) -> Kind {
        guard scope != nil else { return .new }
        current.rows.append(row)
        let (start, limit) = (position, min(position + Self.window, previous.count))
        for index in position..<limit where previous[index].isOfSocket(row) {
            position = index + 1
            if previous[index] == row { return .same(passing: index - start) }
            guard let timer = row.timer, let expected = expectedTimer(of: index),
                Self.drifts.contains(Int64(timer) - expected), previous[index].isEqual(row)
            else { return .new }
            return .sameButTimer(passing: index - start, drift: Int64(timer) - expected)
        }
        return .new
    }

    /// Takes the next row that is told as the same; nil where there is none.
    mutating func takeSame(passing count: Int, drift: Int64? = nil) -> SocketRow? {
        guard scope != nil, count >= 0, count < previous.count - position else { return nil }
        let index = position + count
        var row = previous[index]
        if let drift {
            guard let expected = expectedTimer(of: index), let timer = UInt32(exactly: expected + drift) else {
                return nil
            }
            row.timer = timer
        }
        position = index + 1
        current.rows.append(row)
        return row
    }

    /// Where the timer of a row of the last dump would be by now.
    private func expectedTimer(of index: Int) -> Int64? { previous[index].timer.map { Int64($0) &- elapsed } }
}

extension SocketRow {
    fileprivate func isOfSocket(_ other: SocketRow) -> Bool {
        name.cookie == other.name.cookie && isMinisocket == other.isMinisocket
    }

    /// Whether both are equal but for the timer.
    fileprivate func isEqual(_ other: SocketRow) -> Bool {
        var row = self
        row.timer = other.timer
        return row == other
    }
}
