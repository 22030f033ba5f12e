internal import ArgumentParser
internal import SockDiag
internal import TCPRecords

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
