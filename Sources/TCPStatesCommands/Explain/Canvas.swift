internal import SockDiag
internal import TCPRecords

/// Lines, boxes and words on a grid of characters.
struct Canvas {
    private struct Cell {
        var character: Character = " "
        var state: TCPState?
    }

    /// A place: columns from the left, rows from the top.
    struct Point { let x, y: Int }

    private var rows: [[Cell]]

    init(width: Int, height: Int) {
        rows = Array(repeating: Array(repeating: Cell(), count: width), count: height)
    }

    /// Writes text from a place on.
    mutating func write(_ text: String, at point: Point, as state: TCPState? = nil) {
        for (offset, character) in text.enumerated() where rows[point.y].indices.contains(point.x + offset) {
            rows[point.y][point.x + offset] = Cell(character: character, state: state)
        }
    }

    /// Draws a box of three rows around a state's name and how many are in it.
    mutating func box(_ state: TCPState, _ count: Int?, at corner: Point, width: Int) {
        let line = String(repeating: "─", count: width - 2)
        write("┌\(line)┐", at: corner)
        write("│", at: Point(x: corner.x, y: corner.y + 1))
        write(state.description, at: Point(x: corner.x + 1, y: corner.y + 1), as: state)
        let number = count.map { "\($0)" } ?? ""
        write("\(number)│", at: Point(x: corner.x + width - 1 - number.count, y: corner.y + 1))
        write("└\(line)┘", at: Point(x: corner.x, y: corner.y + 2))
    }

    /// Draws a line of straight pieces, with an arrow at its end.
    mutating func arrow(_ points: [Point]) {
        for (start, end) in zip(points, points.dropFirst()) {
            let (dx, dy) = ((end.x - start.x).signum(), (end.y - start.y).signum())
            for step in 0...max(abs(end.x - start.x), abs(end.y - start.y)) {
                write(dy == 0 ? "─" : "│", at: Point(x: start.x + dx * step, y: start.y + dy * step))
            }
        }
        for index in points.indices.dropFirst().dropLast() {
            write(Self.corner(points[index - 1], points[index], points[index + 1]), at: points[index])
        }
        guard points.count > 1 else { return }
        let (before, end) = (points[points.count - 2], points[points.count - 1])
        let head = before.x < end.x ? "▶" : before.x > end.x ? "◀" : before.y < end.y ? "▼" : "▲"
        write(head, at: end)
    }

    private static func corner(_ before: Point, _ point: Point, _ after: Point) -> String {
        let hasLeft = before.x < point.x || after.x < point.x
        let hasAbove = before.y < point.y || after.y < point.y
        return hasLeft ? (hasAbove ? "┘" : "┐") : (hasAbove ? "└" : "┌")
    }

    /// Appends the lines, without blanks at their ends, and the states' names in their colours.
    func append(to text: inout TextBuffer, hasColor: Bool) {
        for row in rows {
            let end = (row.lastIndex { $0.character != " " } ?? -1) + 1
            var state: TCPState?
            for cell in row[..<end] {
                if hasColor, cell.state != state {
                    text.append(cell.state.map(StateColor.of) ?? StateColor.reset)
                    state = cell.state
                }
                text.append(String(cell.character))
            }
            text.append(.newline)
        }
    }
}
