/// What is wrong with a command line, in one line that names the wrong word and what would be right.
///
/// The argument parser says it in sentences and sometimes in several lines, and only its help names the command that
/// explains: `message` is the former, `help` the latter.
func usageMessage(_ message: String, help: String) -> String {
    var line = ""
    for word in message.split(whereSeparator: \.isWhitespace) {
        let isSentence = line.isEmpty || line.hasSuffix(".")
        if line.hasSuffix(".") {
            line.removeLast()
            line += ";"
        }
        if !line.isEmpty { line += " " }
        line += isSentence ? word.prefix(1).lowercased() + word.dropFirst() : word
    }
    if line.hasSuffix(".") { line.removeLast() }
    guard !line.contains(";") else { return line }
    // "  See 'tcpstates list --help' for more information."
    let command = help.split(separator: "'").last { $0.hasSuffix(" --help") }
    return "\(line); see \(command ?? "tcpstates --help")"
}
