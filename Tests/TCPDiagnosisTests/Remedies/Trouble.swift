internal import Glibc
internal import SockDiag
internal import SocketOwners
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

/// Something that is wrong for real, and how each remedy of the finding is followed.
struct Trouble: Sendable, CustomTestStringConvertible {
    /// What is found.
    let kind: Finding.Kind
    let name: String
    /// Makes it.
    let make: @Sendable (Patient) throws -> Course

    var testDescription: String { "\(kind.rawValue), \(name)" }

    init(_ kind: Finding.Kind, _ name: String, _ make: @escaping @Sendable (Patient) throws -> Course) {
        (self.kind, self.name, self.make) = (kind, name, make)
    }

    static let all: [Trouble] = floods + queues + ports + connections + peers + machine
}

/// How a trouble goes on.
struct Course {
    /// A way to follow a remedy.
    typealias Cure = (Finding.Remedy) throws -> Void

    var thresholds = Thresholds()
    /// Where the doctor looks; nil for the patient's namespace.
    var namespace: NetworkNamespace?
    /// What happens between the two snapshots.
    var between: () throws -> Void = {}
    /// What fails now, in a number: connections that are refused, that hang, that are lost.
    let failures: () throws -> Int
    /// The remedies by how what they do begins, and how each is followed. Those with a view are not among them.
    var cures: [String: Cure] = [:]
    /// Remedies that only show something: they have to be commands that succeed.
    var shown: [String] = []
    /// What the meaning of the finding says has to happen, where no remedy does it.
    var recovery: (() throws -> Void)?
    /// Puts back what was changed beyond the patient's namespace.
    var restore: () throws -> Void = {}

    func findings(_ patient: Patient) throws -> [Finding] {
        var doctor = try Doctor(of: namespace ?? patient.namespace, thresholds: thresholds)
        try between()
        return try doctor.examine()
    }

    /// Follows one remedy; whether the failures have to be none then.
    func follow(_ remedy: Finding.Remedy, of finding: Finding, _ patient: Patient) throws -> Bool {
        if let view = remedy.view {
            let shown = try sockets(of: view, patient)
            let wanted = max(finding["count"] ?? 1, 1)
            #expect(shown >= wanted, "\(remedy.effect)")
            return false
        }
        if shown.contains(where: remedy.effect.hasPrefix) {
            // One that goes on for long shows something too.
            let command = try #require(remedy.command, "\(remedy.effect)")
            for part in command.split(separator: "; ") {
                try patient.run("timeout 5 \(part); status=$?; test $status = 0 -o $status = 124")
            }
            return false
        }
        let found = cures.first { remedy.effect.hasPrefix($0.key) }?.value
        let cure = try #require(found, "nothing follows the remedy: \(remedy.effect)")
        try cure(remedy)
        return true
    }

    /// The number of sockets that a view lists. What is meant for the whole machine is looked for in the patient's namespace.
    private func sockets(of view: SocketView, _ patient: Patient) throws -> Int {
        var client = try SockDiagClient(in: view.namespace ?? patient.namespace)
        let query = SocketQuery(states: view.states ?? .all, extensions: .info, filter: view.filter)
        let sockets = try client.sockets(query)
        guard let pid = view.pid else { return sockets.count }
        let owners = try OwnerSnapshot(of: sockets.compactMap { $0.inode })
        return sockets.count { owners[$0.inode].contains { $0.pid == pid } }
    }
}

/// Connections that answer like a finding, and are healthy.
struct LookAlike: Sendable, CustomTestStringConvertible {
    let kind: Finding.Kind
    let name: String
    let make: @Sendable (Patient) throws -> (thresholds: Thresholds, between: () throws -> Void)

    var testDescription: String { "\(kind.rawValue), \(name)" }

    init(
        _ kind: Finding.Kind,
        _ name: String,
        _ make: @escaping @Sendable (Patient) throws -> (thresholds: Thresholds, between: () throws -> Void)
    ) {
        (self.kind, self.name, self.make) = (kind, name, make)
    }
}

extension Thresholds {
    /// Thresholds with a change.
    static func with(_ change: (inout Thresholds) -> Void) -> Thresholds {
        var thresholds = Thresholds()
        change(&thresholds)
        return thresholds
    }
}

extension Patient {
    /// The number of its sockets in a state.
    func count(_ state: TCPState) throws -> Int { try lab.procNetTCP().filter { $0.state == state }.count }

    /// Sends some bytes on each, and waits until they have been sent so often.
    func send(_ connections: [Connection], times: Int = 1) throws {
        for connection in connections { try #require(connection.socket).send(3) }
        for connection in connections { for _ in 0..<times { try connection.peer.receive([.psh, .ack]) } }
    }
}
