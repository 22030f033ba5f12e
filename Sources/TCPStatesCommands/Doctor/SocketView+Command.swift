internal import SockDiag
internal import TCPDiagnosis
internal import TCPRecords

extension SocketView {
    /// What to type to see it.
    var command: String {
        var words = ["tcpstates"]
        if isCountedByPeer { words += ["summary", "--by", "peer"] }
        let letters: [(Details, Character)] = [(.owners, "p"), (.tcpInfo, "i"), (.memory, "m"), (.timers, "o")]
        if !details.isEmpty { words.append("-" + String(letters.filter { details.contains($0.0) }.map(\.1))) }
        if let states { words += ["--state", states.names] }
        if let namespace {
            words += ["--netns", (namespace.name ?? namespace.pid.map { "\($0)" } ?? namespace.label).quoted]
        }
        if let filter { words.append("\(filter)".quoted) }
        if let pid { words.append((filter == nil ? "" : "and ") + "pid = \(pid)") }
        return words.joined(separator: " ")
    }
}

extension TCPStateSet {
    /// As the option has them: `fin-wait-1,last-ack`.
    fileprivate var names: String {
        let states = (0..<32).map(TCPState.init).filter { contains($0) && $0 != .newSynReceived }
        return states.map { String($0.description.lowercased().map { $0 == "_" ? "-" : $0 }) }.joined(separator: ",")
    }
}

extension Finding.Remedy {
    /// What to type; nil where it is nothing to type.
    var commandLine: String? { command ?? view?.command }
}
