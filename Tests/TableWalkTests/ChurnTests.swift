internal import Glibc
internal import LinuxSystem
internal import SockDiag
internal import SocketValues
internal import Synchronization
internal import TCPStateLab
internal import TableWalk
internal import Testing

/// A walk while connections come and go in the same chains.
@Suite struct ChurnTests {
    /// Connects and closes on loopback until it is told to stop, in the namespace of the thread that starts it.
    private final class Churn: Sendable {
        private let isOver = Atomic(false)
        let count = Atomic(0)
        let port: UInt16

        init(port: UInt16) { self.port = port }

        func stop() { isOver.store(true, ordering: .relaxed) }

        /// Both sides of each connection; every other one ends by a RST, so that TIME_WAITs are among them.
        func run() {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            func with(_ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
                withUnsafePointer(to: address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        call($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
            }
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard with({ bind(listener, $0, $1) }) == 0, listen(listener, 128) == 0 else { return }
            defer { close(listener) }
            var abort = linger(l_onoff: 1, l_linger: 0)
            while !isOver.load(ordering: .relaxed) {
                let near = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                if count.load(ordering: .relaxed) % 2 == 0 {
                    setsockopt(near, SOL_SOCKET, SO_LINGER, &abort, socklen_t(MemoryLayout<linger>.size))
                }
                if with({ connect(near, $0, $1) }) == 0 {
                    let far = accept(listener, nil, nil)
                    close(near)
                    close(far)
                    count.add(1, ordering: .relaxed)
                } else {
                    close(near)
                }
            }
        }
    }

    /// A thread that ends with the object.
    private final class Running {
        private let thread: JoinedThread

        init(_ churn: Churn) throws { thread = try JoinedThread { churn.run() } }
    }

    @Test(.timeLimit(.minutes(30)))
    func `Each stable connection is shown once, and nothing that is none of the others`() throws {
        allowDescriptors()
        try Lab.walking { lab in
            try lab.sysctl("net.ipv4.ip_local_port_range", "20000 60000")
            try lab.sysctl("net.ipv4.tcp_max_tw_buckets", 2000)
            var stable: Set<SocketCookie> = []
            var pairs: [LoopbackPair] = []
            for number in 0..<400 {
                let pair = try lab.loopbackPair(over: number % 2 == 0 ? .ipv4 : .ipv6)
                for socket in [pair.client, pair.accepted] { stable.insert(try socket.cookie()) }
                pairs.append(pair)
            }
            let churn = Churn(port: 7000)
            let thread = try lab.run { try Running(churn) }
            defer { churn.stop() }
            try lab.run {
                var walker = try TableWalker(Lab.programs.get(), for: .rows)
                var counter = try TableWalker(Lab.programs.get(), for: .counts)
                let table = try walker.table()
                var before = 0
                for _ in 0..<60 {
                    // Some connections have come and gone since the walk before.
                    while churn.count.load(ordering: .relaxed) < before + 20 { sched_yield() }
                    before = churn.count.load(ordering: .relaxed)
                    var walk = TableWalk(table, SocketQuery())
                    var seen: [SocketCookie: Int] = [:]
                    var strangers = 0
                    while try walker.advance(
                        &walk,
                        { socket in
                            if stable.contains(socket.cookie) {
                                seen[socket.cookie, default: 0] += 1
                                if socket.state != .established { strangers += 1 }
                            } else {
                                let isChurn = socket.local.port == churn.port || socket.remote.port == churn.port
                                let isKnown =
                                    TCPStateSet.connected.contains(socket.state) && socket.family == .ipv4
                                    && socket.local.address == .loopbackIPv4 && socket.remote.address == .loopbackIPv4
                                if !isChurn || !isKnown { strangers += 1 }
                            }
                        }
                    ) {}
                    #expect(seen.count == stable.count)
                    #expect(seen.values.allSatisfy { $0 == 1 })
                    #expect(strangers == 0)
                    var counts = [Int](repeating: 0, count: 16)
                    var whole = TableWalk(table, SocketQuery(family: .ipv6))
                    try counter.count(&whole, into: &counts)
                    #expect(counts[Int(TCPState.established.rawValue)] == 400)
                    #expect(counts.reduce(0, +) == 400)
                }
            }
            churn.stop()
            withExtendedLifetime((thread, pairs)) {}
        }
    }

    /// A lab whose table is one of its own, with so many chains, and more connections in it than a call holds.
    private func withTable<Result>(ofChains count: Int, _ body: (Lab) throws -> Result) throws -> Result {
        allowDescriptors()
        return try Lab.walking { parent in
            // It goes for the namespaces that are made by a thread in this one.
            try parent.sysctl("net.ipv4.tcp_child_ehash_entries", count)
            let lab = try parent.run { try Lab.orCancel() }
            defer { lab.close() }
            var pairs: [LoopbackPair] = []
            for number in 0..<2200 { pairs.append(try lab.loopbackPair(over: number % 2 == 0 ? .ipv4 : .ipv6)) }
            defer { withExtendedLifetime(pairs) {} }
            return try body(lab)
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `Where chains are hundreds long, and a call ends within one, each socket is shown once`() throws {
        try withTable(ofChains: 16) { (lab: Lab) throws in
            let buckets = try lab.run {
                var walker = try TableWalker(Lab.programs.get(), for: .counts)
                return try walker.table().bucketCount
            }
            #expect(buckets == 16)
            let dumped = try lab.dump()
            #expect(dumped.count == 4400)
            #expect(try lab.walk() == dumped)
            #expect(try lab.count()[Int(TCPState.established.rawValue)] == 4400)
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `A chain that no call can hold is an error, and not an endless walk`() throws {
        try withTable(ofChains: 1) { (lab: Lab) throws in
            let error = #expect(throws: KernelError.self) { _ = try lab.walk() }
            #expect(error?.code == .inconsistentDump)
            #expect(error?.detail.contains("chain") == true)
            // It says nothing of the sockets that were there before.
            #expect(try lab.count()[Int(TCPState.established.rawValue)] == 4400)
        }
    }

    @Test(.timeLimit(.minutes(30)))
    func `Where a walk surprises, all sockets are dumped, and it is said once`() throws {
        try withTable(ofChains: 1) { (lab: Lab) throws in
            let complaints = Mutex<[KernelError]>([])
            let access = WalkAccess { error in complaints.withLock { $0.append(error) } }
            let namespace = try NetworkNamespace(path: lab.namespace.path)
            let dumped = try lab.dump()
            for _ in 0..<2 {
                guard var reader = try access.reader(for: .rows, in: namespace, worthwhile: 0) else { continue }
                var rows: [Row] = []
                try reader.forEachConnection(SocketQuery(), external: { _, _ in false }) { rows.append(Row($0)) }
                #expect(rows == dumped)
            }
            let (said, refusal) = (complaints.withLock { $0 }, access.refusal)
            #expect(said.count == 1)
            #expect(said.first?.detail.contains("chain") == true)
            #expect(refusal == said.first)
            let isRefused = try access.reader(for: .rows, in: namespace, worthwhile: 0) == nil
            #expect(isRefused)
        }
    }

    @Test(.timeLimit(.minutes(30))) func `Few sockets are dumped, and all once the walk was given up`() throws {
        try Lab.walking { lab in
            let pair = try lab.loopbackPair()
            let namespace = try NetworkNamespace(path: lab.namespace.path)
            let access = WalkAccess()
            let isFound = try access.reader(for: .counts, in: namespace, worthwhile: 0) != nil
            let isWorthwhile = try access.reader(for: .counts, in: namespace, worthwhile: 1000) != nil
            #expect(isFound)
            #expect(!isWorthwhile)
            #expect(access.refusal == nil)
            access.refuse(KernelError(.inconsistentDump, operation: "walk"))
            let isRefused = try access.reader(for: .counts, in: namespace, worthwhile: 0) == nil
            #expect(isRefused)
            withExtendedLifetime(pair) {}
        }
    }
}
