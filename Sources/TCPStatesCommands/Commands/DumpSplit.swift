internal import LinuxSystem
internal import SockDiag

/// A dump in two parts for two processors: queries that together find each socket once.
///
/// Whatever the kernel is asked, one thread of it walks the table and fills the answer. Two clients that ask for a half
/// each take 0.6 to 0.85 of the time, since both walk the whole table: from some ten thousand sockets on that pays.
struct DumpSplit {
    /// The queries.
    let halves: (SocketQuery, SocketQuery)
    /// Some of the sockets that were there while the halves were chosen.
    let sample: [InetSocket]

    /// Fewer sockets are dumped by one thread sooner.
    static let worthwhile = 20_000
    private static let sampleSize = 256

    /// Nil where one dump is as well: few sockets, no idle processor, connections that no port distinguishes; or where few
    /// sockets are expected in the answer, so that nearly all of the time is the walk, which both halves make.
    init?(
        of query: SocketQuery,
        in namespace: NetworkNamespace,
        worthwhile: Int = worthwhile,
        idle: Int = Processors.idle
    ) throws(KernelError) {
        guard query.protocol == .tcp, query.localPort == nil, query.remotePort == nil, query.filter == nil,
            query.states.contains(TCPState.established), idle > 0,
            try namespace.run({ () throws(KernelError) in Self.socketCount }) >= worthwhile
        else { return nil }
        sample = try SockDiagClient(in: namespace).sample(query, atLeast: Self.sampleSize)
        let ports = sample.map { max($0.local.port, $0.remote.port) }.sorted()
        guard ports.count >= Self.sampleSize, let lowest = ports.first, let highest = ports.last, lowest < highest
        else { return nil }
        // A service's port is the same in all its connections, the other endpoint's varies: the higher one.
        let middle = max(ports[ports.count / 2], lowest + 1)
        let upper: SocketFilter = .localPort >= middle || .remotePort >= middle
        var (first, second) = (query, query)
        (first.filter, second.filter) = (upper, !upper)
        halves = (first, second)
    }

    /// The approximate number of sockets.
    private static var socketCount: Int {
        let (ipv4, ipv6) = (SocketStatistics.ipv4, SocketStatistics.ipv6)
        return [ipv4["inuse"], ipv4["tw"], ipv6["inuse"]].reduce(0) { $0 + (Int(exactly: $1 ?? 0) ?? 0) }
    }
}
