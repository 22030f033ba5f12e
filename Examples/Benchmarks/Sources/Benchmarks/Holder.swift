import Glibc

/// The processes that hold the benchmark's sockets; a process may not hold all of them.
struct Holders: ~Copyable {
    /// Sockets in one process, below the usual limit of 20,000 descriptors.
    static let share = 19_000

    private var children: [Child] = []

    /// Starts processes that together hold so many sockets, and waits until the last one is connected.
    init(sockets: Int, atLeast processes: Int = 1) throws {
        let count = max(processes, (sockets + Self.share - 1) / Self.share)
        for index in 0..<count {
            let share = sockets / count + (index < sockets % count ? 1 : 0)
            children.append(
                try Child(
                    [CommandLine.arguments[0], "hold", "\(share / 2)", "\(index)"],
                    output: .pipe,
                    keepsInput: true
                )
            )
        }
        for child in children {
            var byte: UInt8 = 0
            guard read(child.output, &byte, 1) == 1 else { throw Failure("process \(child.pid) holds no sockets") }
        }
    }

    var count: Int { children.count }

    /// Ends the processes: each does when its standard input does.
    deinit {
        for child in children { close(child.input) }
        for child in children { _ = try? child.wait() }
    }
}

/// Holds both sockets of so many connections on loopback addresses of its own until its standard input ends.
func hold(connections: Int, index: Int) throws {
    var limit = rlimit(rlim_cur: 20_000, rlim_max: 20_000)
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    // Addresses of its own: with many connections between two addresses connect() searches long for a free port.
    let server = address(0x7f01_0001 + UInt32(index) << 8, port: 9000)
    let client = address(0x7f02_0001 + UInt32(index) << 8, port: 0)
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try withAddress(server) { guard bind(listener, $0, $1) == 0 else { throw Failure.system("bind") } }
    guard listen(listener, 65_535) == 0 else { throw Failure.system("listen") }
    var abort = linger(l_onoff: 1, l_linger: 0)  // Ends by RST: no TIME_WAIT stays behind.
    for _ in 0..<connections {
        let near = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard near >= 0 else { throw Failure.system("make a socket") }
        var on: Int32 = 1
        setsockopt(near, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, &on, 4)
        setsockopt(near, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
        try withAddress(client) { guard bind(near, $0, $1) == 0 else { throw Failure.system("bind") } }
        try withAddress(server) { guard connect(near, $0, $1) == 0 else { throw Failure.system("connect") } }
        let far = accept(listener, nil, nil)
        guard far >= 0 else { throw Failure.system("accept") }
        setsockopt(far, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
    }
    var byte: UInt8 = 1
    Glibc.write(1, &byte, 1)
    while read(0, &byte, 1) > 0 {}
}

private func address(_ bits: UInt32, port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = bits.bigEndian
    return address
}

private func withAddress(_ address: sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void) rethrows {
    try withUnsafePointer(to: address) {
        try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
