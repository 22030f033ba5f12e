public import SockDiag

/// What is reported of each socket beyond what every record has.
public struct SocketDetails: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt16

    /// Details of any bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `tcp_info`, congestion control, and what runs above TCP.
    public static let info = SocketDetails(rawValue: 1 << 0)
    /// The memory of the socket.
    public static let memory = SocketDetails(rawValue: 1 << 1)
    /// The pending timer.
    public static let timers = SocketDetails(rawValue: 1 << 2)
    /// Control group, mark, directions that are shut down.
    public static let extended = SocketDetails(rawValue: 1 << 3)
    /// The processes that hold the socket.
    public static let processes = SocketDetails(rawValue: 1 << 4)
    /// The network namespace.
    public static let namespace = SocketDetails(rawValue: 1 << 5)
    /// What marks its packets: TOS, traffic class, priority.
    public static let service = SocketDetails(rawValue: 1 << 6)
    /// The options that its program has set.
    public static let options = SocketDetails(rawValue: 1 << 7)

    /// The protocol, where there are others than TCP.
    public static let transport = SocketDetails(rawValue: 1 << 8)
    /// What UNIX sockets have, where they are listed.
    public static let unix = SocketDetails(rawValue: 1 << 9)

    /// What is there only where it was asked for: the processes, the namespace, and what other sockets have than those of
    /// TCP.
    public static let usual: SocketDetails = [.processes, .namespace, .transport, .unix]
    /// Everything that is known.
    public static let all = SocketDetails(rawValue: .max)

    /// What the kernel has to be asked for, so that it is known.
    public var extensions: SocketExtensions {
        var extensions: SocketExtensions = []
        if contains(.info) { extensions.formUnion([.info, .congestion, .congestionInfo]) }
        if contains(.memory) { extensions.insert(.memory) }
        if contains(.extended) { extensions.insert(.shutdown) }
        if contains(.service) { extensions.formUnion([.tos, .trafficClass]) }
        return extensions
    }
}
