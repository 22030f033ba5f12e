/// What is wrong with a line that is to be read as a record, and where.
public struct RecordError: Error, Hashable, Sendable {
    /// The position in the line: how many bytes are before it.
    public let offset: Int
    /// What is wrong there, in a sentence without its end.
    public let reason: String

    /// Something wrong.
    public init(at offset: Int, _ reason: String) { (self.offset, self.reason) = (offset, reason) }
}

extension RecordError: CustomStringConvertible {
    /// The position and what is wrong: `byte 17: expected a colon`.
    public var description: String { "byte \(offset): \(reason)" }
}
