package import SockDiag

/// The kernel's settings, as one network namespace has them.
package struct KernelSettings: Sendable {
    private let numbers: [KernelSetting: [Int]]

    /// Larger than any setting; what is computed with it does not overflow.
    private static let largest = 1 << 40

    /// The values by name, as `/proc/sys` has them.
    init(_ numbers: [KernelSetting: [Int]]) { self.numbers = numbers }

    /// No setting is known.
    package static let none = KernelSettings([:])

    /// Reads those of a namespace.
    ///
    /// - Throws: ``/SockDiag/SockDiagError`` where the namespace may not be entered.
    package init(of namespace: NetworkNamespace) throws(SockDiagError) {
        self = try namespace.run { () throws(SockDiagError) in KernelSettings() }
    }

    /// Those of the calling thread's namespace.
    init() {
        var numbers: [KernelSetting: [Int]] = [:]
        for setting in KernelSetting.all {
            let path = "/proc/sys/" + setting.rawValue.split(separator: ".").joined(separator: "/")
            guard let bytes = try? OpenFile.start(of: path, limit: 128) else { continue }
            numbers[setting] = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
                .compactMap { Int($0) }
                .map { max(-Self.largest, min($0, Self.largest)) }
        }
        self.init(numbers)
    }

    /// The value, or the first of several; nil where this kernel or namespace has no such setting.
    package subscript(setting: KernelSetting) -> Int? { numbers[setting]?.first }

    /// All values of a setting that has several.
    package func values(of setting: KernelSetting) -> [Int] { numbers[setting] ?? [] }
}

extension KernelSettings {
    /// How long a half-open request lasts that nobody answers: one second for the first SYN+ACK, twice as long for
    /// each further one. 63 s for 5 retries.
    package var halfOpenSeconds: Int? { self[.synAckRetries].map(Self.seconds(retries:)) }

    /// How long an unanswered `connect()` lasts: 131 s for 6 retries and 4 linear ones.
    package var connectSeconds: Int? {
        self[.synRetries].map { Self.seconds(retries: $0) + (self[.synLinearTimeouts] ?? 0) }
    }

    /// How many ports `connect()` can choose from.
    package var ephemeralPorts: ClosedRange<UInt16>? {
        let ends = values(of: .localPortRange).compactMap { UInt16(exactly: $0) }
        return ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : nil
    }

    /// The sum of the timeouts, which double from one second up to `TCP_RTO_MAX` (120 s).
    package static func seconds(retries: Int) -> Int {
        (0...max(0, min(retries, 255))).reduce(0) { $0 + min(1 << min($1, 7), 120) }
    }
}

extension KernelSetting {
    fileprivate static let all: [KernelSetting] = [
        synCookies, maxSYNBacklog, synAckRetries, synRetries, synLinearTimeouts, somaxconn, retries2, orphanRetries,
        maxOrphans, finTimeout, maxTimeWait, timeWaitReuse, keepaliveTime, timestamps, localPortRange, memory,
        conntrackCount, conntrackMax,
    ]
}
