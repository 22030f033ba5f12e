internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

/// Limits of the whole machine. They are seen in the first network namespace alone, wherever the sockets are.
@Suite struct MachineTests {
    /// The doctor of the tests' own namespace.
    private func doctor(seeing setting: KernelSetting, _ change: (inout Thresholds) -> Void) throws -> Doctor {
        let namespace = try NetworkNamespace.current
        guard try KernelSettings(of: namespace)[setting] != nil else {
            try Test.cancel("\(setting.rawValue) is seen in the first network namespace alone")
        }
        var thresholds = Thresholds()
        change(&thresholds)
        return try Doctor(of: namespace, thresholds: thresholds)
    }

    @Test func `A firewall's table that fills is found`() throws {
        let patient = try Patient()
        defer { patient.lab.close() }
        var thresholds = Thresholds()
        thresholds.conntrack = 1
        guard let most = try KernelSettings(of: patient.namespace)[.conntrackMax], most <= 1_000_000 else {
            try Test.cancel("this kernel follows no connections, or more than a test can make")
        }
        let count = most / 100 + 1
        do {
            try patient.lab.followConnections(count)
        } catch {
            guard case .systemCall = error.kind else { throw error }
            try Test.cancel("\(error)")
        }
        let finding = try patient.findings(thresholds).only(.conntrack)
        #expect(finding["count"] == count)
        #expect(finding["limit"] == most)
        #expect(finding.remedies.first?.command == "sysctl -w net.netfilter.nf_conntrack_max=\(most * 2)")
        #expect(finding.owners == nil)
    }

    @Test func `Orphans that near their limit are found`() throws {
        var doctor = try doctor(seeing: .maxOrphans) { $0.orphans = 1 }
        let limit = try #require(try KernelSettings(of: doctor.namespace)[.maxOrphans])
        guard limit <= 200_000 else { try Test.cancel("this machine allows more orphans than a test can make") }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener()
        for _ in 0...limit / 100 { try lab.server(on: listener).close() }
        let finding = try doctor.examine().only(.orphans)
        #expect(finding["limit"] == limit)
        #expect(finding["count"].map { $0 > limit / 100 } == true)
    }

    @Test func `Memory that TCP runs short of is found`() throws {
        var doctor = try doctor(seeing: .memory) { $0.memory = 1 }
        let pressure = try KernelSettings(of: doctor.namespace).values(of: .memory)[1]
        guard pressure <= 1_000_000 else { try Test.cancel("TCP may take more memory here than a test should") }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let chunk = [UInt8](repeating: 7, count: 1 << 16)
        var sent = 0
        // Pages have 4 KiB, and each byte takes more than itself.
        while sent < pressure / 100 * 4096 {
            let descriptor = try #require(try lab.loopbackPair().client.descriptor)
            while case let count = send(descriptor, chunk, chunk.count, Int32(MSG_DONTWAIT)), count > 0 {
                sent += count
            }
        }
        let finding = try doctor.examine().only(.memoryPressure)
        #expect(finding["pressure"] == pressure)
        #expect(finding["pages"].map { $0 >= pressure / 100 } == true)
    }
}
