// Finds the sockets that running programs forgot, and says each once: those that have been so for some seconds, for sure, of
// the processes whose numbers follow, or of all that may be read. It ends when they have.
//
//     swift run --package-path Examples/Agent Leaks 60 4711

import SocketLeaks

@main struct Leaks {
    static func main() async throws {
        let numbers = CommandLine.arguments.dropFirst().compactMap { Int32($0) }
        // Without a time each kind has its own.
        let limit = numbers.first.map { Duration.seconds($0) }
        let pids = Set(numbers.dropFirst())
        // Kept between searches: what no dump lists has no age but the one that it remembers.
        var search = try ForgottenSockets(of: pids.isEmpty ? .all : ProcessSelection(pids: pids))
        var known: Set<ForgottenSocket.ID> = []
        var coverage = ""
        while true {
            let found = try search.find(olderThan: limit)
            for socket in found.sockets where !known.contains(socket.id) {
                print(socket)
                print("  \(socket.kind.remedy)")
            }
            known = Set(found.sockets.map(\.id))
            if !found.coverage.isComplete, found.coverage.description != coverage {
                coverage = found.coverage.description
                print(coverage)
            }
            if !pids.isEmpty, found.coverage.ended.count == pids.count { return }
            try await Task.sleep(for: .seconds(1))
        }
    }
}
