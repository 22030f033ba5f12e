internal import Glibc

/// Where everything goes that is not output.
enum StandardError {
    /// Says in one line what is wrong.
    static func complain(_ message: String) {
        var line = TextBuffer()
        line.append("tcpstates: ")
        line.append(printable: message)
        line.append(.newline)
        write(&line)
    }

    /// Writes the text. Where it cannot be written, there is nobody to tell.
    static func write(_ text: inout TextBuffer) {
        _ = text.withBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        text.removeAll()
    }
}
