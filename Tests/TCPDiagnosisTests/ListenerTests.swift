internal import Glibc
internal import SockDiag
internal import SocketOwners
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

@Suite struct ListenerTests {
    @Test func `A program that does not accept is named, and when it accepts clients connect again`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener(backlog: 4)
        let healthy = try patient.lab.listener()
        for _ in 0..<5 { try patient.lab.server(on: listener, accepted: false) }
        try patient.lab.server(on: healthy, accepted: false)
        var before = 0
        let findings = try patient.findings { before = try patient.connected(10, to: listener) }
        let finding = try findings.only(.acceptQueueOverflow)
        #expect(findings.count == 1, "\(findings.map(\.title))")
        #expect(finding.local == listener.local)
        #expect(finding.owners?.map(\.pid) == [getpid()])
        #expect(finding.title.contains("the queue is full"))
        #expect(finding["waiting"] == 5)
        #expect(finding["limit"] == 4)
        #expect(finding["dropped_per_second"].map { $0 > 0 } == true)
        #expect(before == 0)

        let descriptor = try #require(listener.descriptor)
        var after = 0
        for _ in 0..<10 {
            while case let accepted = accept(descriptor, nil, nil), accepted >= 0 { close(accepted) }
            after += try patient.connected(1, to: listener)
        }
        #expect(after == 10)
    }

    @Test func `A queue that overflows between two snapshots is found by what the listener dropped`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listener = try patient.lab.listener(backlog: 4)
        let descriptor = try #require(listener.descriptor)
        let finding = try patient.findings {
            _ = try patient.connected(12, to: listener)
            while case let accepted = accept(descriptor, nil, nil), accepted >= 0 { close(accepted) }
        }.only(.acceptQueueOverflow)
        #expect(finding.local == listener.local)
        #expect(finding.title.contains("in bursts"))
    }
}
