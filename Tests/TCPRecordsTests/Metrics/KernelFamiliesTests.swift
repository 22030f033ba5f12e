import Foundation
import SockDiag
import TCPDiagnosis
import TCPRecords
import TCPStateLab
import Testing

@Suite("The kernel's counters as metrics", .timeLimit(.minutes(10)))
struct KernelFamiliesTests {
    private static let tables = """
        TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed ListenOverflows ListenDrops TCPAbortOnData TCPAbortFailed
        TcpExt: 11 12 13 14 15 16 17
        Tcp: InSegs OutSegs RetransSegs
        Tcp: 21 22 23
        """

    @Test func `Each counter is what the kernel says, and one that it does not have is left out`() {
        let settings = KernelSettings([
            .localPortRange: "100 199", .reservedPorts: "150-159,300", .maxTimeWait: "7", .maxOrphans: "8",
            .memory: "1 2 3",
        ])
        let samples = Samples(MetricFamily.kernel(KernelCounters(tables: Self.tables), settings))
        #expect(samples["tcpstates_syn_cookies_sent_total"] == 11)
        #expect(samples["tcpstates_syn_cookies_accepted_total"] == 12)
        #expect(samples["tcpstates_syn_cookies_failed_total"] == 13)
        #expect(samples["tcpstates_accept_queue_overflows_total"] == 14)
        #expect(samples["tcpstates_listen_drops_total"] == 15)
        #expect(samples["tcpstates_aborted_connections_total{reason=data}"] == 16)
        #expect(samples["tcpstates_aborted_connections_total{reason=failed}"] == 17)
        #expect(samples["tcpstates_received_segments_total"] == 21)
        #expect(samples["tcpstates_sent_segments_total"] == 22)
        #expect(samples["tcpstates_retransmitted_segments_total"] == 23)
        #expect(samples["tcpstates_ephemeral_ports"] == 90)
        #expect(samples["tcpstates_time_wait_limit"] == 7)
        #expect(samples["tcpstates_orphans_limit"] == 8)
        #expect(samples["tcpstates_memory_limit_bytes"] == 3 * Double(KernelCounters.pageSize))
        #expect(samples["tcpstates_memory_pressures_total"] == nil)
        #expect(samples.values.count == 14)
        #expect(MetricFamily.kernel(KernelCounters(tables: ""), .none).isEmpty)
    }

    @Test func `This kernel has all of them, in a namespace all but what the machine has once`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let families = lab.run { MetricFamily.kernel(KernelCounters(), KernelSettings()) }
        let here = MetricFamily.kernel(KernelCounters(), KernelSettings())
        let names = Set(here.map(\.metric.text))
        let expected = Catalogue.all.map(\.text).drop { $0 != Catalogue.ephemeralPorts.text }
            .prefix { $0 != Catalogue.findings.text }
        #expect(names.isSuperset(of: Set(families.map(\.metric.text))))
        #expect(names.isSubset(of: expected))
        let aborts = Samples(families).series(of: Catalogue.aborted.text)
        #expect(aborts.count == 6)
    }

    @Test func `A listener whose queue overflows counts in its namespace`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        func counts() -> [Double?] {
            let samples = Samples(lab.run { MetricFamily.kernel(KernelCounters(), KernelSettings()) })
            return [samples[Catalogue.acceptOverflows.text], samples[Catalogue.listenDrops.text]]
        }
        #expect(counts() == [0, 0])
        let listener = try lab.listener(backlog: 0)
        try lab.server(on: listener, accepted: false)
        try lab.peer(of: listener).send(.syn)
        // What is answered came after it.
        try lab.server(in: .synReceived)
        #expect(counts() == [1, 1])
    }

    @Test func `Every kind of finding is there, also where nothing is wrong`() {
        let none = Samples([MetricFamily.findings([])])
        #expect(none.values.count == Finding.Kind.allCases.count)
        #expect(Set(Finding.Kind.allCases).count == Finding.Kind.allCases.count)
        let finding = Finding(kind: .closeWait, title: "", evidence: [], meaning: "", remedies: [])
        let two = Samples([MetricFamily.findings([finding, finding])])
        #expect(two["tcpstates_findings{finding=close_wait}"] == 2)
        #expect(two.sum("tcpstates_findings") == 2)
    }

    @Test func `What cannot be seen is 0`() {
        let records = [AccessRecord("ipv4", isAvailable: true), AccessRecord("trace", isAvailable: false)]
        let samples = Samples([MetricFamily.access(records), MetricFamily.watch(isTraced: false)])
        #expect(samples["tcpstates_access{what=ipv4}"] == 1)
        #expect(samples["tcpstates_access{what=trace}"] == 0)
        #expect(samples["tcpstates_watch_info{source=poll}"] == 1)
    }

    @Test func `The program's own figures are those of /proc`() throws {
        let samples = Samples(MetricFamily.ownProcess())
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n")
        let size = status.first { $0.hasPrefix("VmSize:") }?.split(whereSeparator: \.isWhitespace)
        let virtual = try #require(size.flatMap { $0.count > 1 ? Double($0[1]) : nil }) * 1024
        // The other tests take memory meanwhile.
        let measured = try #require(samples["process_virtual_memory_bytes"])
        #expect(measured > virtual / 4 && measured < virtual * 4)
        #expect(samples["process_resident_memory_bytes"] ?? 0 > 0)
        #expect(samples["process_resident_memory_bytes"] ?? 0 < measured)
        #expect(samples["process_open_fds"] ?? 0 >= 1)
        #expect(samples["process_threads"] ?? 0 >= 1)
        #expect(samples["process_cpu_seconds_total"] ?? 0 > 0)
        let started = try #require(samples["process_start_time_seconds"])
        let now = Date().timeIntervalSince1970
        #expect(started < now + 1 && started > now - 86_400 * 30)
    }
}
