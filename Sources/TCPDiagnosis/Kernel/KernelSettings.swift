internal import LinuxSystem
package import SockDiag

/// The kernel's settings, as one network namespace has them.
package struct KernelSettings: Sendable {
    private let texts: [KernelSetting: String]

    /// Larger than any setting; what is computed with it does not overflow.
    private static let largest = 1 << 40

    /// The values by name, as `/proc/sys` has them.
    package init(_ texts: [KernelSetting: String]) { self.texts = texts }

    /// No setting is known.
    package static let none = KernelSettings([:])

    /// Reads those of a namespace.
    ///
    /// - Throws: ``/SockDiag/KernelError`` where the namespace may not be entered.
    package init(of namespace: NetworkNamespace) throws(KernelError) {
        self = try namespace.run { () throws(KernelError) in KernelSettings() }
    }

    /// Those of the calling thread's namespace.
    package init() {
        var texts: [KernelSetting: String] = [:]
        for setting in KernelSetting.all {
            let path = "/proc/sys/" + setting.rawValue.split(separator: ".").joined(separator: "/")
            guard let bytes = try? OpenFile.start(of: path, limit: 16 * 1024) else { continue }
            texts[setting] = String(decoding: bytes, as: UTF8.self)
        }
        self.init(texts)
    }

    /// The value, or the first of several; nil where this kernel or namespace has no such setting.
    package subscript(setting: KernelSetting) -> Int? { values(of: setting).first }

    /// All values of a setting that has several.
    package func values(of setting: KernelSetting) -> [Int] {
        (texts[setting] ?? "").split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            .map { max(-Self.largest, min($0, Self.largest)) }
    }

    /// The ports and ranges of a list: `8080,9000-9010`.
    package func ports(of setting: KernelSetting) -> [ClosedRange<UInt16>] {
        (texts[setting] ?? "").split { $0 == "," || $0.isWhitespace }.compactMap { part in
            let bounds = part.split(separator: "-").compactMap { UInt16($0) }
            guard let first = bounds.first, let last = bounds.last, first <= last else { return nil }
            return first...last
        }
    }
}

extension KernelSettings {
    /// How long a half-open request lasts that nobody answers: one second for the first SYN+ACK, twice as long for
    /// each further one. 63 s for 5 retries.
    package var halfOpenSeconds: Int? { self[.synAckRetries].map(Self.seconds(retries:)) }

    /// How long an unanswered `connect()` lasts: 131 s for 6 retries and 4 linear ones.
    package var connectSeconds: Int? {
        self[.synRetries].map { Self.seconds(retries: $0) + (self[.synLinearTimeouts] ?? 0) }
    }

    /// How long a connection lasts whose data nobody acknowledges, where the program sets no TCP_USER_TIMEOUT: 924 s for 15
    /// retries (`tcp_model_timeout()`, which counts from 200 ms, not from what was measured).
    package func unacknowledgedSeconds(retries: Int) -> Int {
        let longest = max(self[.rtoMax] ?? 120_000, 1)
        return (0...max(0, min(retries, 255))).reduce(0) { $0 + min(200 << min($1, 20), longest) } / 1000
    }

    /// The ports that `connect()` can choose from, reserved ones among them.
    package var ephemeralPorts: ClosedRange<UInt16>? { ClosedRange(portRange: texts[.localPortRange] ?? "") }

    /// The number of those that are not reserved.
    package var ephemeralPortCount: Int {
        guard let all = ephemeralPorts else { return 0 }
        return ports(of: .reservedPorts).filter { $0.overlaps(all) }.reduce(all.count) {
            $0 - $1.clamped(to: all).count
        }
    }

    /// The number of half-open requests that the kernel keeps for a listener: the backlog; and without SYN cookies no more
    /// than three quarters of `tcp_max_syn_backlog` for peers that it has no memory of (`tcp_conn_request()`).
    package func halfOpenLimit(backlog: Int) -> Int {
        guard self[.synCookies] == 0, let most = self[.maxSYNBacklog] else { return backlog }
        return min(backlog, most - most / 4)
    }

    /// The bytes that TCP may take on the whole machine; nil where the namespace does not show it.
    package var memoryLimit: UInt64? {
        values(of: .memory).last.map { UInt64(max($0, 0)) &* KernelCounters.pageSize }
    }

    /// The sum of the timeouts, which double from one second up to `TCP_RTO_MAX` (120 s).
    package static func seconds(retries: Int) -> Int {
        (0...max(0, min(retries, 255))).reduce(0) { $0 + min(1 << min($1, 7), 120) }
    }
}

extension KernelSetting {
    fileprivate static let all: [KernelSetting] = [
        synCookies, maxSYNBacklog, synAckRetries, synRetries, synLinearTimeouts, somaxconn, retries2, orphanRetries,
        maxOrphans, finTimeout, maxTimeWait, timeWaitReuse, keepaliveTime, timestamps, localPortRange, reservedPorts,
        memory, conntrackCount, conntrackMax, rtoMax, migrateRequests,
    ]
}
