internal import ArgumentParser
internal import SockDiag

/// What is reported of each socket beyond what every record has.
struct SocketDetails: OptionSet {
    let rawValue: UInt16

    /// `tcp_info` and congestion control.
    static let info = SocketDetails(rawValue: 1 << 0)
    /// The memory of the socket.
    static let memory = SocketDetails(rawValue: 1 << 1)
    /// The pending timer.
    static let timers = SocketDetails(rawValue: 1 << 2)
    /// cgroup, mark, shutdown; in the table uid, inode and cookie too.
    static let extended = SocketDetails(rawValue: 1 << 3)
    /// The processes that hold the socket.
    static let processes = SocketDetails(rawValue: 1 << 4)
    /// The network namespace.
    static let namespace = SocketDetails(rawValue: 1 << 5)
    /// What marks its packets: TOS, traffic class, priority.
    static let service = SocketDetails(rawValue: 1 << 6)
    /// The options that its program has set.
    static let options = SocketDetails(rawValue: 1 << 7)
    /// The protocol, where there are others than TCP.
    static let transport = SocketDetails(rawValue: 1 << 8)
    /// What UNIX sockets have, where they are listed.
    static let unix = SocketDetails(rawValue: 1 << 9)

    /// What the kernel must be asked for.
    var extensions: SocketExtensions {
        var extensions: SocketExtensions = []
        if contains(.info) { extensions.formUnion([.info, .congestion, .congestionInfo]) }
        if contains(.memory) { extensions.insert(.memory) }
        if contains(.extended) { extensions.insert(.shutdown) }
        if contains(.service) { extensions.formUnion([.tos, .trafficClass]) }
        return extensions
    }
}

/// The options that choose details.
struct DetailOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "The processes that hold the socket; other users' take privilege.")
    var processes = false

    @Flag(name: .shortAndLong, help: "The kernel's measurements: round trips, windows, counters (tcp_info).")
    var info = false

    @Flag(name: .shortAndLong, help: "The memory of the socket.")
    var memory = false

    @Flag(name: [.customShort("o"), .long], help: "The pending timer.")
    var timers = false

    @Flag(name: .shortAndLong, help: "Owner, inode, cookie, control group, mark, shutdown.")
    var extended = false

    @Flag(name: .customLong("tos"), help: "Type of service, traffic class and priority of its packets.")
    var service = false

    @Flag(name: .customLong("inet-sockopt"), help: "The socket options that its program has set.")
    var options = false

    @Flag(name: [.customShort("O"), .customLong("oneline")], help: "All of a socket on one line of the table.")
    var isOneLine = false

    /// The details that are asked for.
    var details: SocketDetails {
        var details: SocketDetails = []
        if info { details.insert(.info) }
        if memory { details.insert(.memory) }
        if timers { details.insert(.timers) }
        if extended { details.insert(.extended) }
        if processes { details.insert(.processes) }
        if service { details.insert(.service) }
        if options { details.insert(.options) }
        return details
    }
}
