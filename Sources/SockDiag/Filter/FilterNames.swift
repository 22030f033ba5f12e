internal import CMnl
internal import LinuxLibC
internal import LinuxSystem

/// What names mean in one network namespace.
struct FilterNames {
    /// A socket of the namespace.
    let netlinkSocket: Int32
    /// The ports that the kernel chooses from by itself.
    let ephemeralPorts: ClosedRange<UInt16>

    /// The test that a name stands for.
    func test(_ name: SocketFilter.Name) throws(KernelError) -> FilterTest {
        switch name {
        case .interface(let name):
            guard let interface = interface(named: name) ?? Self.interface(unnamed: name) else {
                throw KernelError(
                    .notFound,
                    operation: "filter by dev",
                    detail: "there is no interface \(name.debugDescription)"
                )
            }
            return .interface(interface.rawValue)
        case .cgroup(let path):
            guard let id = CgroupPaths.id(of: path) else {
                throw KernelError(
                    .notFound,
                    operation: "filter by cgroup",
                    detail: "there is no control group (version 2) \(path.debugDescription)"
                )
            }
            return .cgroup(id)
        case .autobound:
            return .number(.localPort, UInt64(ephemeralPorts.lowerBound), UInt64(ephemeralPorts.upperBound))
        }
    }

    /// `if7`, as one is printed that has no name any more.
    private static func interface(unnamed text: String) -> NetworkInterface? {
        guard text.hasPrefix("if"), let index = UInt32(text.dropFirst(2)), index > 0 else { return nil }
        return NetworkInterface(rawValue: index)
    }

    func interface(named name: String) -> NetworkInterface? {
        guard !name.utf8.contains(0) else { return nil }
        let index = cmnl_interface_index(netlinkSocket, name)
        return index > 0 ? NetworkInterface(rawValue: UInt32(index)) : nil
    }

    /// The ports of `net.ipv4.ip_local_port_range` in the calling thread's namespace; the kernel's default where they
    /// cannot be read.
    static func ephemeralPorts() -> ClosedRange<UInt16> {
        let line = try? OpenFile.start(of: "/proc/sys/net/ipv4/ip_local_port_range", limit: 32)
        return ClosedRange(portRange: String(decoding: line ?? [], as: UTF8.self)) ?? 32768...60999
    }
}
