import TCPRecords

/// What `write` appends to an empty buffer.
func text(_ write: (inout TextBuffer) -> Void) -> String {
    var buffer = TextBuffer(capacity: 1)
    write(&buffer)
    return buffer.string
}
