/// Why a text is no filter: the wrong word, where it is, and what would be right.
///
/// ```swift
/// do {
///     _ = try SocketFilter("dst 192.0.2.1 prot = 80")
/// } catch {
///     print(error)          // filter, near "prot": expected a term: state, exclude, src, dst, sport, …
///     print(error.excerpt)  // dst 192.0.2.1 prot = 80
/// }                         //               ^^^^
/// ```
public struct SocketFilterError: Error, Hashable, Sendable {
    /// The whole text.
    public let text: String
    /// The position of the wrong word, in characters from the text's start; its length where something is missing.
    public let offset: Int
    /// The number of wrong characters; 0 where something is missing at the end.
    public let length: Int
    /// What is wrong with the word, and what would be right.
    public let reason: String

    /// An error in a text, at so many characters from its start.
    public init(text: String, offset: Int, length: Int, reason: String) {
        (self.text, self.offset, self.length, self.reason) = (text, offset, length, reason)
    }

    init(_ text: String, _ range: Range<String.Index>, _ reason: String) {
        self.text = text
        offset = text.distance(from: text.startIndex, to: range.lowerBound)
        length = text.distance(from: range.lowerBound, to: range.upperBound)
        self.reason = reason
    }

    /// The wrong word; empty where something is missing at the end.
    public var word: Substring { text.dropFirst(max(offset, 0)).prefix(max(length, 0)) }
}

extension SocketFilterError: CustomStringConvertible {
    /// One line: the wrong word, what is wrong with it, and what would be right.
    public var description: String {
        guard length > 0 else { return "filter, at its end: \(reason)" }
        let word = String(word.prefix(40).map(\.visible)) + (length > 40 ? "…" : "")
        return "filter, near \"\(word)\": \(reason)"
    }

    /// Two lines: the text, and a mark under the wrong word.
    public var excerpt: String {
        let mark = String(repeating: " ", count: max(offset, 0)) + String(repeating: "^", count: max(length, 1))
        return "\(String(text.map(\.visible)))\n\(mark)"
    }
}

extension Character {
    /// Itself, but U+FFFD for what would move a terminal's cursor.
    fileprivate var visible: Character {
        let invisible: [Unicode.GeneralCategory] = [.control, .format, .lineSeparator, .paragraphSeparator]
        return unicodeScalars.contains { invisible.contains($0.properties.generalCategory) } ? "\u{fffd}" : self
    }
}
