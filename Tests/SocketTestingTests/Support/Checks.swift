import SockDiag
import SocketLeaks
import Synchronization
import TCPWatch
import Testing

@testable import SocketTesting

/// What a thread has come to.
final class Outcome<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)

    func set(_ new: Result<Value, any Error>) { result.withLock { $0 = new } }

    func get() throws -> Value { try #require(result.withLock { $0 }).get() }
}

extension LeakScope {
    /// Opens a scope.
    static func begin(_ name: String, _ rules: NoSocketLeaks = .noSocketLeaks(settleTime: .zero)) throws -> LeakScope {
        try rules.begin(name)
    }

    /// Runs the closure as a part of the test.
    func run<Value>(_ body: () throws -> Value) rethrows -> Value {
        try LeakScope.$current.withValue(self) { try body() }
    }

    /// Closes the scope; the findings for these ports alone, because other tests run in this process too.
    func end(_ ports: [UInt16]) throws -> [LeakFinding] {
        let judgement = try SocketLedger.shared.end(self)
        for _ in GracePeriod.pauses where try judgement.isSettled() { break }
        return try judgement.findings().compactMap { finding in
            let own = finding.leaks.filter { ports.contains($0.socket.local.port) }
            return own.isEmpty ? nil : LeakFinding(leaks: own, suspects: finding.suspects)
        }
    }
}

extension [LeakFinding] {
    /// `LISTEN by first`, sorted.
    var summary: [String] {
        flatMap { finding in
            finding.leaks.map {
                "\($0.socket.state) by \(finding.suspects.map(\.name).sorted().joined(separator: "|"))"
            }
        }.sorted()
    }
}
