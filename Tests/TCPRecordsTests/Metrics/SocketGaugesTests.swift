import SeededRandom
import SockDiag
import TCPDiagnosis
import TCPRecords
import Testing

@Suite("What is counted of sockets")
struct SocketGaugesTests {
    private static let settings = KernelSettings([
        .localPortRange: "32768 60999", .synCookies: "1", .maxSYNBacklog: "256",
    ])

    private func gauges(
        _ settings: KernelSettings = settings,
        _ configure: (inout SocketGauges.Options) -> Void = { _ in }
    ) -> SocketGauges {
        var options = SocketGauges.Options()
        configure(&options)
        return SocketGauges(options, settings: settings, at: 10_000_000_000)
    }

    private func endpoint(_ text: String, _ port: UInt16) -> SocketEndpoint {
        SocketEndpoint(IPAddress(text) ?? .anyIPv6, port: port)
    }

    private func visit(
        _ local: (String, UInt16),
        _ remote: (String, UInt16),
        _ state: TCPState,
        _ change: (inout SocketGauges.Visit) -> Void = { _ in }
    ) -> SocketGauges.Visit {
        let local = endpoint(local.0, local.1)
        var visit = SocketGauges.Visit(
            SocketIdentity(
                family: local.address.family,
                local: local,
                remote: endpoint(remote.0, remote.1),
                cookie: SocketCookie(rawValue: 1)
            ),
            in: state
        )
        change(&visit)
        return visit
    }

    private func visit(
        _ local: (String, UInt16),
        _ state: TCPState,
        _ change: (inout SocketGauges.Visit) -> Void = { _ in }
    ) -> SocketGauges.Visit {
        visit(local, ("::", 0), state, change)
    }

    @Test func `Every state of both families is there, at 0 where there is none`() {
        var gauges = gauges()
        let empty = Samples(gauges.families)
        #expect(empty.series(of: "tcpstates_sockets").count == 24)
        #expect(empty.sum("tcpstates_sockets") == 0)
        for state in TCPState.allCases { gauges.count(visit(("::1", 1), ("::1", 2), state)) }
        gauges.count(visit(("127.0.0.1", 1), ("127.0.0.1", 2), .newSynReceived))
        gauges.count(visit(("127.0.0.1", 1), ("127.0.0.1", 2), TCPState(rawValue: 99)))
        let samples = Samples(gauges.families)
        #expect(Set(samples.values.keys).isSuperset(of: empty.values.keys))
        #expect(samples.sum("tcpstates_sockets", "family=ipv6") == 12)
        #expect(samples["tcpstates_sockets{family=ipv4,state=syn_received}"] == 1)
        #expect(samples.sum("tcpstates_sockets", "family=ipv4") == 1)
        #expect(samples.repeated == [] && samples.mislabelled == [])
    }

    @Test func `The oldest of each state is known where ages are, and is 0 where there is none`() {
        var gauges = gauges { $0.hasAges = true }
        for since in [9, 4, 7] as [UInt64] {
            gauges.count(visit(("::1", 1), ("::1", 2), .closeWait) { $0.since = since * 1_000_000_000 })
        }
        gauges.count(visit(("::1", 1), ("::1", 2), .finWait2) { $0.since = 11_000_000_000 })
        let samples = Samples(gauges.families)
        #expect(samples["tcpstates_state_oldest_seconds{state=close_wait}"] == 6)
        #expect(samples["tcpstates_state_oldest_seconds{state=fin_wait_2}"] == 0)
        #expect(samples["tcpstates_state_oldest_seconds{state=syn_sent}"] == 0)
        #expect(samples.series(of: "tcpstates_state_oldest_seconds").count == 9)
        #expect(Samples(self.gauges().families).series(of: "tcpstates_state_oldest_seconds") == [])
    }

    @Test func `A listener's queue is no payload`() {
        var gauges = gauges { $0.hasQueues = true }
        gauges.count(visit(("0.0.0.0", 80), .listen) { ($0.receiveQueue, $0.sendQueue) = (3, 128) })
        gauges.count(
            visit(("127.0.0.1", 80), ("127.0.0.1", 9), .established) { ($0.receiveQueue, $0.sendQueue) = (5, 7) }
        )
        let samples = Samples(gauges.families)
        #expect(samples["tcpstates_queued_bytes{queue=receive}"] == 5)
        #expect(samples["tcpstates_queued_bytes{queue=send}"] == 7)
        #expect(samples["tcpstates_listener_accept_queue{local_address=0.0.0.0,local_port=80}"] == 3)
        #expect(samples["tcpstates_listener_accept_queue_limit{local_address=0.0.0.0,local_port=80}"] == 128)
    }

    @Test func `Half-open requests are those of the listener that they came to, by the limit that the doctor reckons`()
    {
        let noCookies = KernelSettings([.synCookies: "0", .maxSYNBacklog: "100"])
        var gauges = gauges(noCookies)
        gauges.count(visit(("0.0.0.0", 80), .listen) { $0.sendQueue = 128 })
        gauges.count(visit(("10.0.0.1", 80), .listen) { $0.sendQueue = 5 })
        for _ in 0..<4 { gauges.count(visit(("10.0.0.2", 80), ("10.0.0.9", 7), .synReceived)) }
        gauges.count(visit(("10.0.0.1", 80), ("10.0.0.9", 8), .synReceived))
        gauges.count(visit(("10.0.0.1", 81), ("10.0.0.9", 8), .synReceived))
        gauges.count(visit(("10.0.0.1", 80), ("10.0.0.9", 8), .synReceived) { $0.openedBy = .active })
        let samples = Samples(gauges.families)
        #expect(samples["tcpstates_listener_half_open{local_address=0.0.0.0,local_port=80}"] == 4)
        #expect(samples["tcpstates_listener_half_open{local_address=10.0.0.1,local_port=80}"] == 1)
        #expect(samples["tcpstates_listener_half_open_limit{local_address=0.0.0.0,local_port=80}"] == 75)
        #expect(samples["tcpstates_listener_half_open_limit{local_address=10.0.0.1,local_port=80}"] == 5)
    }

    @Test func `Of more listeners than the cap the fullest are shown, and the sums stay exact`() {
        var gauges = gauges { $0.cap = 10 }
        for port in 1...300 as ClosedRange<UInt16> {
            let waiting: UInt32 = port == 250 ? 99 : 1
            gauges.count(visit(("::", port), .listen) { ($0.receiveQueue, $0.sendQueue) = (waiting, 100) })
        }
        let samples = Samples(gauges.families)
        #expect(samples.series(of: "tcpstates_listener_accept_queue").count == 10)
        #expect(samples["tcpstates_listener_accept_queue{local_address=::,local_port=250}"] == 99)
        #expect(samples.sum("tcpstates_listener_accept_queue") == 299 + 99)
        #expect(samples.sum("tcpstates_listener_accept_queue_limit") == 30_000)
        #expect(samples["tcpstates_groups_limited{metric=tcpstates_listener_accept_queue}"] == 291)
    }

    @Test func `A destination's ports are those of the address that takes most, of the ten fullest`() {
        var gauges = gauges()
        gauges.count(visit(("10.0.0.1", 33_000), .listen))
        for destination in 1...12 as ClosedRange<UInt16> {
            for port in 0..<(destination * 2) {
                let local = destination == 12 && port < 6 ? "10.0.0.2" : "10.0.0.1"
                gauges.count(visit((local, 40_000 + port), ("10.9.0.1", 1000 + destination), .timeWait))
            }
        }
        // None of them takes a port that the kernel chose for it.
        gauges.count(visit(("10.0.0.1", 33_000), ("10.9.0.2", 50_000), .established))
        gauges.count(visit(("10.0.0.1", 50_000), ("10.9.0.2", 50_000), .established) { $0.openedBy = .passive })
        gauges.count(visit(("10.0.0.1", 700), ("10.9.0.2", 80), .established) { $0.openedBy = .active })
        let samples = Samples(gauges.families)
        let shown = samples.series(of: "tcpstates_destination_local_ports")
        #expect(shown.count == 10)
        #expect(samples["tcpstates_destination_local_ports{remote_address=10.9.0.1,remote_port=1011}"] == 22)
        #expect(samples["tcpstates_destination_local_ports{remote_address=10.9.0.1,remote_port=1012}"] == 18)
        #expect(samples["tcpstates_destination_local_ports{remote_address=10.9.0.1,remote_port=1003}"] == 6)
    }

    @Test func `Groups are there where they are asked for alone`() {
        let names = gauges().families.map(\.metric.text)
        #expect(
            !names.contains {
                $0.hasSuffix("service_sockets") || $0.contains("process") || $0.hasSuffix("destination_sockets")
            }
        )
        let asked = gauges { $0.groupings = Set(SocketGauges.Grouping.allCases) }.families.map(\.metric.text)
        #expect(asked.count == names.count + 3)
    }

    @Test func `Services are the ports that are listened on, or those that are named`() {
        func samples(_ ports: Set<UInt16>) -> Samples {
            var gauges = gauges {
                $0.groupings = [.localPort]
                $0.ports = ports
            }
            gauges.count(visit(("::", 443), .listen))
            gauges.count(visit(("::1", 443), ("::1", 50_000), .closeWait))
            gauges.count(visit(("::1", 50_000), ("::1", 443), .established))
            return Samples(gauges.families)
        }
        #expect(samples([])["tcpstates_service_sockets{local_port=443,state=close_wait}"] == 1)
        #expect(samples([])["tcpstates_service_sockets{local_port=443,state=time_wait}"] == 0)
        #expect(samples([]).sum("tcpstates_service_sockets") == 2)
        #expect(samples([50_000]).sum("tcpstates_service_sockets") == 1)
        #expect(samples([50_000])["tcpstates_service_sockets{local_port=50000,state=established}"] == 1)
    }

    @Test func `Processes whose names are the same text are one, and none is taken for the others`() {
        var gauges = gauges {
            $0.groupings = [.process]
            $0.cap = 4
        }
        let names = [
            ProcessName(bytes: [0xff]), ProcessName(bytes: [0xfe]), ProcessName("other"), ProcessName("unknown"), nil,
            ProcessName("a\"b\n\u{1b}"),
        ]
        for name in names { gauges.count(visit(("::1", 1), ("::1", 2), .established) { $0.process = name }) }
        let samples = Samples(gauges.families)
        #expect(samples.repeated == [])
        #expect(samples.sum("tcpstates_process_sockets") == 6)
        #expect(samples["tcpstates_process_sockets{process=\u{fffd},state=established}"] == 2)
        #expect(samples["tcpstates_process_sockets{process=unknown,state=established}"] == 2)
        #expect(samples["tcpstates_process_sockets{process=other,state=established}"] == 1)
    }

    @Test(arguments: [30, 200_000])
    func `However many destinations there are, series are capped and the sums stay exact`(destinations: Int) {
        var random = SplitMix64(7)
        var gauges = gauges {
            $0.groupings = [.destination]
            $0.cap = 20
        }
        var counts: [TCPState: Double] = [:]
        for number in 0..<(destinations + 500) {
            // One of them is the largest by far, wherever its sockets come.
            let host = number % max(destinations / 250, 8) == 0 ? 1 : random.below(destinations) + 2
            let remote = SocketEndpoint(IPAddress(ipv4: 0x0a00_0000 + UInt32(host)), port: 5432)
            let state: TCPState = random.one(of: [.established, .closeWait, .timeWait])
            var visit = visit(("127.0.0.1", 40_000), ("10.0.0.1", 1), state) { $0.openedBy = .active }
            visit.identity.remote = remote
            counts[state, default: 0] += 1
            gauges.count(visit)
        }
        let samples = Samples(gauges.families)
        #expect(samples.series(of: "tcpstates_destination_sockets").count <= 20 * 11)
        #expect(samples.series(of: "tcpstates_destination_sockets").contains { $0.contains("=10.0.0.1,") })
        #expect(samples.repeated == [])
        for (state, count) in counts {
            #expect(samples.sum("tcpstates_destination_sockets", "state=\(state.metricLabel)") == count)
        }
        #expect(samples["tcpstates_groups_limited{metric=tcpstates_destination_sockets}"] ?? 0 > 0)
    }
}

@Suite("How many series there are at most")
struct SeriesCeilingTests {
    /// The lines of a scrape that are values.
    private func count(_ families: [MetricFamily]) -> Int {
        var text = TextBuffer()
        PrometheusText.write(families, as: .classic, into: &text)
        return text.string.split(separator: "\n").count { !$0.hasPrefix("#") }
    }

    private func everything(_ gauges: SocketGauges) -> [MetricFamily] {
        let access = ["ipv4", "ipv6", "destroy_events", "trace", "owners", "namespaces", "counters"]
        let kernel = """
            Tcp: InSegs OutSegs RetransSegs orphan mem
            Tcp: 1 1 1 1 1
            TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed ListenOverflows ListenDrops TCPReqQFullDrop \
            TCPTimeWaitOverflow TCPSynRetrans TCPMemoryPressures TCPAbortOnMemory TCPAbortOnTimeout TCPAbortOnData \
            TCPAbortOnClose TCPAbortOnLinger TCPAbortFailed
            TcpExt: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1
            """
        let settings = KernelSettings([
            .localPortRange: "32768 60999", .maxTimeWait: "1", .maxOrphans: "1", .memory: "1 1 1",
        ])
        var families = gauges.families + EventMeter().families(isTraced: true)
        families += MetricFamily.kernel(KernelCounters(tables: kernel), settings)
        families += [
            MetricFamily.findings([]), MetricFamily.access(access.map { AccessRecord($0, isAvailable: true) }),
            MetricFamily.watch(isTraced: true), MetricFamily.build(version: "1"),
            MetricFamily(Catalogue.scrapeDuration, .number(0)), MetricFamily(Catalogue.unexported, .count(0)),
            MetricFamily(Catalogue.scrapes, ["200", "400", "503"].map { .init([$0], .count(0)) }),
        ]
        return families + MetricFamily.ownProcess()
    }

    @Test func `With thousands of listeners, peers and names, and all that can be asked for, there are 4,020 at most`()
    {
        var options = SocketGauges.Options()
        options.groupings = Set(SocketGauges.Grouping.allCases)
        (options.hasAges, options.hasQueues) = (true, true)
        let settings = KernelSettings([.localPortRange: "32768 60999"])
        var gauges = SocketGauges(options, settings: settings, at: 1)
        func identity(_ local: UInt16, _ remote: UInt32) -> SocketIdentity {
            SocketIdentity(
                family: .ipv4,
                local: SocketEndpoint(IPAddress(ipv4: 0x7f00_0001), port: local),
                remote: SocketEndpoint(IPAddress(ipv4: remote), port: remote == 0 ? 0 : 443),
                cookie: SocketCookie(rawValue: UInt64(remote))
            )
        }
        for port in 1...5000 as ClosedRange<UInt16> {
            gauges.count(SocketGauges.Visit(identity(port, 0), in: .listen, sendQueue: 128, process: ProcessName("p")))
            gauges.count(SocketGauges.Visit(identity(port, 1), in: .established, openedBy: .passive))
        }
        for peer in 1...20_000 as ClosedRange<UInt32> {
            let name = ProcessName("worker-\(peer % 2000)")
            let local = 33_000 + UInt16(peer % 20_000)
            gauges.count(
                SocketGauges.Visit(identity(local, 0x0a00_0000 + peer), in: .established, since: 0, process: name)
            )
        }
        let families = everything(gauges)
        let samples = Samples(families)
        #expect(count(families) <= 4020)
        #expect(samples.repeated == [])
        for metric in ["service_sockets", "destination_sockets", "process_sockets", "listener_accept_queue"] {
            #expect(samples["tcpstates_groups_limited{metric=tcpstates_\(metric)}"] ?? 0 > 0)
            #expect(samples.series(of: "tcpstates_\(metric)").count <= 1100)
        }
        #expect(samples.sum("tcpstates_service_sockets") == 10_000)
        #expect(samples.sum("tcpstates_destination_sockets") == 20_000)
        #expect(samples.sum("tcpstates_process_sockets") == 30_000)
        #expect(samples.sum("tcpstates_listener_accept_queue_limit") == 5000 * 128)
        #expect(Set(families.map(\.metric.text)) == Set(Catalogue.all.map(\.text)))
    }

    @Test func `Of a machine with thirty listeners there are some five hundred`() {
        var options = SocketGauges.Options()
        options.hasAges = true
        var gauges = SocketGauges(options, settings: .none, at: 1)
        for port in 1...30 as ClosedRange<UInt16> {
            let local = SocketEndpoint(.anyIPv4, port: port)
            let none = SocketEndpoint(.anyIPv4, port: 0)
            let identity = SocketIdentity(family: .ipv4, local: local, remote: none, cookie: SocketCookie(rawValue: 1))
            gauges.count(SocketGauges.Visit(identity, in: .listen, sendQueue: 128))
        }
        let count = count(everything(gauges))
        #expect(count > 400 && count < 600, "\(count)")
    }
}
