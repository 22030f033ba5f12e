internal import LinuxLibC

/// What the kernel counts of this process.
///
/// Source: `/proc/self/stat` (`fs/proc/array.c`), `/proc/self/fd`, `getrlimit(2)`, `btime` of `/proc/stat`.
package struct OwnProcess: Hashable, Sendable {
    /// Seconds of a processor's time, the kernel's work for the process included.
    package let processorSeconds: Double
    package let threads: UInt64
    package let residentBytes: UInt64
    package let virtualBytes: UInt64
    /// Seconds since 1970.
    package let startedAt: Double?
    package let openDescriptors: UInt64?
    /// Nil where there is no limit.
    package let descriptorLimit: UInt64?

    /// As it is now; nil where `/proc` does not show it.
    package init?() {
        guard let line = try? OpenFile.start(of: "/proc/self/stat", limit: 1024),
            let nameEnd = line.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = line[(nameEnd + 1)...].split(separator: UInt8(ascii: " "))
        // The first of them is field 3, the state.
        func field(_ number: Int) -> UInt64? {
            let index = number - 3
            return index < fields.count ? UInt64(String(decoding: fields[index], as: UTF8.self)) : nil
        }
        guard let user = field(14), let system = field(15), let threads = field(20), let started = field(22),
            let virtual = field(23), let pages = field(24)
        else { return nil }
        let ticks = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
        processorSeconds = Double(user &+ system) / ticks
        self.threads = threads
        virtualBytes = virtual
        residentBytes = pages &* UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 0))
        startedAt = Self.bootTime.map { $0 + Double(started) / ticks }
        openDescriptors = Self.descriptorCount
        var limit = rlimit()
        let isLimited = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        descriptorLimit = isLimited && limit.rlim_cur != .max ? UInt64(limit.rlim_cur) : nil
    }

    /// When the machine was started, seconds since 1970.
    private static var bootTime: Double? {
        let text = (try? OpenFile.whole("/proc/stat")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    }

    private static var descriptorCount: UInt64? {
        guard let directory = try? Directory("/proc/self/fd") else { return nil }
        var count: UInt64 = 0
        directory.forEachNumber { _ in count += 1 }
        // The directory itself is one of them.
        return max(count, 1) - 1
    }
}
