@testable import TCPStatesCommands

extension TextBuffer {
    /// What is in it.
    var string: String { withBytes { String(decoding: $0, as: UTF8.self) } }
}

/// What `write` appends to an empty buffer.
func text(_ write: (inout TextBuffer) -> Void) -> String {
    var buffer = TextBuffer(capacity: 1)
    write(&buffer)
    return buffer.string
}
