// Finds the sockets that running programs forgot, and says each once: of the processes whose numbers are given, or of all
// that may be read.
//
//     swift run --package-path Examples/Agent Leaks 4711

import SocketLeaks

@main struct Leaks {
    static func main() async throws {
        let numbers = Set(CommandLine.arguments.dropFirst().compactMap { Int32($0) })
        var search = try ForgottenSockets(of: numbers.isEmpty ? .all : ProcessSelection(pids: numbers))
        var known: Set<ForgottenSocket.ID> = []
        while true {
            let found = try search.find()
            for socket in found.sockets where !known.contains(socket.id) {
                print(socket)
                print("  \(socket.kind.remedy)")
            }
            known = Set(found.sockets.map(\.id))
            if !found.coverage.isComplete { print(found.coverage) }
            if found.coverage.ended.count == numbers.count, !numbers.isEmpty { return }
            try await Task.sleep(for: .seconds(10))
        }
    }
}
