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

    /// Listeners that share a port, each held by a process of its own, but the first, which is the test's.
    private func workers(_ patient: Patient, backlogs: [Int32]) throws -> (
        listeners: [KernelSocket], workers: [Program]
    ) {
        let listeners = try patient.lab.sharedListeners(backlogs: backlogs)
        let workers = try listeners.dropFirst().map { listener in
            let worker = try Program(["/bin/cat"], descriptors: [9: try #require(listener.descriptor)])
            try worker.waitForEcho()
            return worker
        }
        for listener in listeners.dropFirst() { listener.close() }
        return (listeners, workers)
    }

    /// Clients that are let in until the listener of the test's own has so many; those of it that got in.
    private func fill(_ patient: Patient, _ listener: KernelSocket, until waiting: UInt32) throws {
        var client = try SockDiagClient(in: patient.namespace)
        let inode = try UInt32(listener.inode())
        try patient.wait(for: "\(waiting) at one listener") {
            _ = try patient.connected(1, to: listener)
            return try client.sockets(in: .listen).contains { $0.inode == inode && $0.receiveQueue >= waiting }
        }
    }

    @Test func `Of workers that share a port the sick one is named, with its own queue and limit`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        // The test's own listener is the sick one. The sum would be far from full.
        let (listeners, workers) = try workers(patient, backlogs: [4, 1000, 1000])
        defer { withExtendedLifetime(workers) {} }
        try fill(patient, listeners[0], until: 5)
        let finding = try patient.findings().only(.acceptQueueOverflow)
        #expect(finding.owners?.map(\.pid) == [getpid()])
        #expect(finding["waiting"] == 5)
        #expect(finding["limit"] == 4)
        #expect(finding["listeners"] == 3)
        #expect(finding.local == listeners[0].local)
    }

    @Test func `Two sick workers are two findings, and each has its process`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let (listeners, workers) = try workers(patient, backlogs: [2, 2, 1000])
        let sick = workers[0].pid
        var full: Set<UInt32> = []
        var client = try SockDiagClient(in: patient.namespace)
        try patient.wait(for: "both to be full") {
            _ = try patient.connected(1, to: listeners[0])
            full = Set(
                try client.sockets(in: .listen).filter { $0.receiveQueue > 2 && $0.sendQueue == 2 }.compactMap(\.inode)
            )
            return full.count == 2
        }
        let findings = try patient.findings().filter { $0.kind == .acceptQueueOverflow }
        #expect(Set(findings.compactMap { $0.owners?.first?.pid }) == [getpid(), sick])
        #expect(findings.allSatisfy { $0["waiting"] == 3 && $0["limit"] == 2 && $0.owners?.count == 1 })
    }

    @Test func `A flood at workers with different limits names the one whose queue is full`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        try patient.lab.sysctl("net.ipv4.tcp_syncookies", 1)
        let (listeners, workers) = try workers(patient, backlogs: [16, 4096])
        defer { withExtendedLifetime(workers) {} }
        let finding = try patient.findings { try patient.sendSYNs(100, to: listeners[0]) }.only(.halfOpenFlood)
        #expect(finding.owners?.map(\.pid) == [getpid()])
        #expect(finding["limit"] == 16)
        #expect(finding["listeners"] == 2)
    }

    @Test func `Workers of which none is full are healthy, whatever the sum`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        let listeners = try patient.lab.sharedListeners(backlogs: [100, 100, 100])
        _ = try patient.connected(90, to: listeners[0])
        let findings = try patient.findings()
        #expect(findings.isEmpty, "\(findings.map(\.title))")
    }
}
