internal import LinuxSystem
internal import SocketValues
package import TCPDiagnosis

/// The metrics of the ``Catalogue`` that are about the kernel, what is wrong, and what is seen.
extension MetricFamily {
    /// The kernel's counters and settings of a namespace. What this kernel does not count, or the namespace does not show,
    /// is left out: 0 would say that nothing has happened.
    package static func kernel(_ counters: KernelCounters, _ settings: KernelSettings) -> [MetricFamily] {
        var families = counted.compactMap { metric, name in counters[name].map { MetricFamily(metric, .count($0)) } }
        let aborts = abortReasons.compactMap { reason, name in
            counters[name].map { Sample([reason], .count($0)) }
        }
        if !aborts.isEmpty { families.append(MetricFamily(Catalogue.aborted, aborts)) }
        func add(_ metric: Metric, _ value: UInt64?) {
            if let value { families.append(MetricFamily(metric, .count(value))) }
        }
        add(Catalogue.orphans, counters[.orphans])
        add(Catalogue.memory, counters[.pages].map { $0 &* KernelCounters.pageSize })
        func add(_ metric: Metric, _ setting: KernelSetting) {
            add(metric, settings[setting].map { UInt64(max($0, 0)) })
        }
        add(Catalogue.timeWaitLimit, .maxTimeWait)
        add(Catalogue.orphanLimit, .maxOrphans)
        add(Catalogue.memoryLimit, settings.memoryLimit)
        if settings.ephemeralPorts != nil {
            add(Catalogue.ephemeralPorts, UInt64(max(settings.ephemeralPortCount, 0)))
        }
        return families
    }

    private static let counted: [(Metric, KernelCounters.Name)] = [
        (Catalogue.acceptOverflows, .acceptQueueOverflows), (Catalogue.listenDrops, .listenDrops),
        (Catalogue.cookiesSent, .cookiesSent), (Catalogue.cookiesAccepted, .cookiesReceived),
        (Catalogue.cookiesFailed, .cookiesFailed), (Catalogue.requestsDropped, .requestsDropped),
        (Catalogue.timeWaitOverflows, .timeWaitOverflows), (Catalogue.sentSegments, .segmentsOut),
        (Catalogue.receivedSegments, .segmentsIn), (Catalogue.retransmittedSegments, .retransmitted),
        (Catalogue.synRetransmits, .handshakesRetransmitted), (Catalogue.memoryPressures, .memoryPressures),
    ]

    private static let abortReasons: [(String, KernelCounters.Name)] = [
        ("memory", .abortedForMemory), ("timeout", .abortedOnTimeout), ("data", .abortedOnData),
        ("close", .abortedOnClose), ("linger", .abortedOnLinger), ("failed", .abortsFailed),
    ]

    /// How many findings there are of each kind that the doctor knows.
    package static func findings(_ findings: [Finding]) -> MetricFamily {
        MetricFamily(
            Catalogue.findings,
            Finding.Kind.allCases.map { kind in
                Sample([kind.rawValue], .count(UInt64(findings.count { $0.kind == kind })))
            }
        )
    }

    /// What can be seen from here, and what cannot.
    package static func access(_ records: [AccessRecord]) -> MetricFamily {
        MetricFamily(Catalogue.access, records.map { Sample([$0.what], .count($0.isAvailable ? 1 : 0)) })
    }

    /// How transitions are found.
    package static func watch(isTraced: Bool) -> MetricFamily {
        MetricFamily(Catalogue.watch, [Sample([isTraced ? "trace" : "poll"], .count(1))])
    }

    /// The version of the program.
    package static func build(version: String) -> MetricFamily {
        MetricFamily(Catalogue.build, [Sample([version], .count(1))])
    }

    /// What the program itself takes of the machine; nothing where `/proc` does not show it.
    package static func ownProcess() -> [MetricFamily] {
        guard let own = OwnProcess() else { return [] }
        var families = [
            MetricFamily(Catalogue.processorTime, .number(own.processorSeconds)),
            MetricFamily(Catalogue.residentMemory, .count(own.residentBytes)),
            MetricFamily(Catalogue.virtualMemory, .count(own.virtualBytes)),
            MetricFamily(Catalogue.threads, .count(own.threads)),
        ]
        if let open = own.openDescriptors { families.append(MetricFamily(Catalogue.openDescriptors, .count(open))) }
        if let limit = own.descriptorLimit { families.append(MetricFamily(Catalogue.descriptorLimit, .count(limit))) }
        if let time = own.startedAt { families.append(MetricFamily(Catalogue.startTime, .number(time))) }
        return families
    }
}
