import SeededRandom
import Testing

@testable import SockDiag

@Suite("A filter as text")
struct FilterTextTests {
    @Test(
        "Every form of ss and of ours is read",
        arguments: [
            (
                "dst 192.0.2.0/24:443 and ( sport = :80 or sport > :1024 )",
                "dst 192.0.2.0/24:443 and ( sport = 80 or sport > 1024 )"
            ),
            ("state established state close-wait dst 10/8", "state ESTABLISHED,CLOSE_WAIT and dst 10.0.0.0/8"),
            ("exclude listening excl time-wait", "exclude TIME_WAIT,LISTEN"),
            ("state connected exclude established exclude synchronized", "state SYN_SENT"),
            (
                "exclude connected state syn-sent",
                "exclude ESTABLISHED,SYN_RCVD,FIN_WAIT_1,FIN_WAIT_2,TIME_WAIT,CLOSE_WAIT,LAST_ACK,CLOSING"
            ),
            ("state estab,LAST_ACK", "state ESTABLISHED,LAST_ACK"),
            ("( state established ) state listening", "state ESTABLISHED and state LISTEN"),
            ("state STATE_20", "state STATE_20"), ("state all", "state all"), ("exclude all", "exclude all"),
            ("not state listening", "exclude LISTEN"),
            ("sport 80", "sport = 80"), ("sport :80", "sport = 80"), ("sport=80", "sport = 80"),
            ("sport>=:80", "sport >= 80"),
            ("sport == 80", "sport = 80"), ("sport eq 80", "sport = 80"), ("dport ne 80", "dport != 80"),
            ("dport neq :80", "dport != 80"),
            ("dport lt 80", "dport < 80"), ("dport le 80", "dport <= 80"), ("dport leq 80", "dport <= 80"),
            ("dport gt 80", "dport > 80"), ("dport ge 80", "dport >= 80"), ("dport geq 80", "dport >= 80"),
            ("sport = :ssh", "sport = 22"), ("dport https", "dport = 443"), ("sport = *", "src *"),
            ("sport != *", "src != *"),
            ("src 127.0.0.1", "src 127.0.0.1"), ("src = 127.0.0.1:80", "src 127.0.0.1:80"),
            ("src != 127.0.0.1", "src != 127.0.0.1"),
            ("src 127.0.0.1/8", "src 127.0.0.0/8"), ("src 127/8:https", "src 127.0.0.0/8:443"),
            ("src 127.0.0.1:*", "src 127.0.0.1"),
            ("src [::1]:80", "src [::1]:80"), ("src ::1", "src [::1]"), ("src ::", "src [::]"),
            ("src [2001:db8::/32]:80", "src [2001:db8::]/32:80"),
            ("src [2001:db8::1]/32:80", "src [2001:db8::]/32:80"), ("src 2001:db8::1/32", "src [2001:db8::]/32"),
            ("src *", "src *"), ("src *:80", "src *:80"), ("src :80", "src *:80"), ("src inet:*", "src 0.0.0.0/0"),
            ("dst inet6:*:80", "dst [::]/0:80"), ("dst inet:10/8", "dst 10.0.0.0/8"),
            ("dst inet6:[::1]:80", "dst [::1]:80"),
            ("dst inet:localhost:80", "dst 127.0.0.1:80"), ("dst [::ffff:10.0.0.1]", "dst [::ffff:10.0.0.1]"),
            ("dst [fe80::1%eth0]:179", "dst [fe80::1]:179 and dev = eth0"),
            ("dst [fe80::1]%eth0:179", "dst [fe80::1]:179 and dev = eth0"),
            ("src fe80::1%eth0", "src [fe80::1] and dev = eth0"), ("dst fe80::1%2/64", "dst [fe80::]/64 and dev = 2"),
            ("src 192.0.2.1%eth0:80", "src 192.0.2.1:80 and dev = eth0"),
            ("src 0.0.0.0%br-1.7", "src 0.0.0.0 and dev = br-1.7"), ("src [::%if7]:22", "src [::]:22 and dev = if7"),
            ("dst != [fe80::1%eth0]:179", "not ( dst [fe80::1]:179 and dev = eth0 )"),
            ("dev lo", "dev = lo"), ("dev != 3", "dev != 3"), ("fwmark 1", "fwmark = 0x1"),
            ("fwmark != 0x01/0x03", "fwmark != 0x1/0x3"),
            ("cgroup /a/b.service", "cgroup = /a/b.service"), ("cgroup != '/a b'", "cgroup != \"/a b\""),
            ("autobound", "autobound"),
            ("! autobound", "not autobound"), ("!autobound", "not autobound"), ("not not autobound", "autobound"),
            ("uid=0&dport=1|dport=2", "uid = 0 and dport = 1 or dport = 2"),
            ("uid 0 && dport 1 || dport 2", "uid = 0 and dport = 1 or dport = 2"),
            ("uid 0 or uid 1 and uid 2", "uid = 0 or uid = 1 and uid = 2"),
            ("( uid 0 or uid 1 ) and uid 2", "( uid = 0 or uid = 1 ) and uid = 2"),
            ("uid 0 or uid 1 uid 2", "uid = 0 or uid = 1 and uid = 2"), ("not uid 0 or uid 1", "uid != 0 or uid = 1"),
            ("not ( uid 0 or uid 1 )", "not ( uid = 0 or uid = 1 )"), ("not uid < 5", "not uid < 5"),
            ("((((uid 0))))", "uid = 0"),
            ("uid 0 and ( uid 1 and uid 2 )", "uid = 0 and ( uid = 1 and uid = 2 )"),
            ("UID = 0 AND NOT pid 4", "uid = 0 and pid != 4"),
            ("pid = 1234", "pid = 1234"), ("process != nginx", "process != nginx"),
            ("process = \"a\\\"b\\u{1b}\"", "process = \"a\\\"b\\u{1B}\""),
            ("netns = blue", "netns = blue"), ("process 'and'", "process = \"and\""), ("inode = 5", "inode = 5"),
            ("cookie = 0x1A2b", "cookie = 1a2b"),
            ("recvq > 64k", "recvq > 65536"), ("sendq >= 2M", "sendq >= 2097152"), ("sendq = 1g", "sendq = 1073741824"),
            ("rtt > 10ms", "rtt > 10ms"), ("rtt <= 1.5ms", "rtt <= 1500us"), ("rtt = 2s", "rtt = 2s"),
            ("rtt < 0.5us", "rtt < 500ns"), ("rtt > 0s", "rtt > 0s"),
            ("retrans > 0", "retrans > 0"), ("", "state all"), ("  ", "state all"),
        ]
    )
    func forms(read: String, printed: String) throws {
        let filter = try SocketFilter(read, resolvesHosts: read.contains("localhost"))
        #expect(filter.description == printed)
        #expect(try SocketFilter(printed) == filter)
    }

    @Test(
        "An error points at the wrong word and says what would be right",
        arguments: [
            ("prot = 80", 0, "prot", "expected a term: state, exclude, src, dst, sport, dport"),
            ("uid 0 prot = 80", 6, "prot", "expected a term"),
            ("dst 192.0.2.1 192.0.2.2", 14, "192.0.2.2", "expected a term"),
            ("sport", 5, "", "expected a port (443), the name of a service (https) or *"),
            ("sport = 80 and", 14, "", "expected a term"), ("sport = 80 and or dport = 1", 15, "or", "expected a term"),
            ("and sport = 1", 0, "and", "expected a term"), (")", 0, ")", "expected a term"),
            ("( )", 2, ")", "expected a term"),
            ("uid 0 and ( sport = 80", 10, "(", "its closing parenthesis is missing"),
            ("sport = 80 ) uid 0", 11, ")", "no parenthesis is open"),
            ("sport = 70000", 8, "70000", "expected a port"),
            ("sport = nosuchservice", 8, "nosuchservice", "expected a port"),
            ("sport <> 5", 7, ">", "expected a port"), ("sport > *", 6, ">", "* has no order"),
            ("dst 10.0.0.300", 4, "10.0.0.300", "expected an address"), ("dst 10", 4, "10", "expected an address"),
            ("dst 10.0.0.1/33", 4, "10.0.0.1/33", "prefix length"),
            ("dst */8", 4, "*/8", "a prefix length needs an address"),
            ("dst 10.0.0.1:x:y", 4, "10.0.0.1:x:y", "after the colon"),
            ("dst 10.0.0.1:99999", 4, "10.0.0.1:99999", "after the colon"),
            ("dst inet:[::1]", 4, "inet:[::1]", "the other family"),
            ("dst nosuch.invalid", 4, "nosuch.invalid", "names are not resolved here"),
            ("dst and uid 0", 4, "and", "expected an address"), ("src sport = 5", 4, "sport", "expected an address"),
            ("dst [::1", 4, "[::1", "expected an address"), ("dst [::1]x", 4, "[::1]x", "expected an address"),
            ("state", 5, "", "expected a state (BOUND, LISTEN"),
            ("state open", 6, "open", "expected a state (BOUND, LISTEN"),
            ("state estab,", 6, "estab,", "expected a state"), ("dev < 3", 4, "<", "compare it with = or !="),
            ("process =", 9, "", "the name of a process"), ("process pid", 8, "pid", "the name of a process"),
            ("process 'abc", 8, "'abc", "the closing ' is missing"),
            ("process \"a\\q\"", 8, "\"a\\q", "no such escape"),
            ("fwmark 010", 7, "010", "expected a mark"), ("fwmark 1/", 7, "1/", "expected a mark"),
            ("fwmark 0x1ffffffff", 7, "0x1ffffffff", "expected a mark"),
            ("pid = x", 6, "x", "expected the number of a process"), ("uid = -1", 6, "-1", "expected a number"),
            ("inode = 4294967296", 8, "4294967296", "expected an inode"), ("cookie = xyz", 9, "xyz", "in hexadecimal"),
            ("recvq > 5x", 8, "5x", "bytes"), ("recvq > 99999999999999999999", 8, "99999999999999999999", "bytes"),
            ("recvq > 18446744073709551615k", 8, "18446744073709551615k", "bytes"),
            ("rtt > 5", 6, "5", "with its unit"),
            ("rtt > 1.ms", 6, "1.ms", "with its unit"), ("rtt > 0.0000000001s", 6, "0.0000000001s", "with its unit"),
            ("rtt > 99999999999999s", 6, "99999999999999s", "with its unit"),
            ("uid 0 \u{1b}[2J", 6, "\u{1b}[2J", "expected a term"),
        ]
    )
    func errors(text: String, offset: Int, word: String, reason: String) throws {
        let error = try #require(throws: SocketFilterError.self) { try SocketFilter(text) }
        #expect(error.offset == offset)
        #expect(error.word == word)
        #expect(error.reason.contains(reason), "\(error)")
        #expect(!error.description.contains { $0.isNewline || $0 == "\u{1b}" })
        #expect(error.excerpt.split(separator: "\n").count == 2)
    }

    @Test("The mark stands under the wrong word")
    func excerpt() throws {
        let error = try #require(throws: SocketFilterError.self) {
            try SocketFilter(arguments: ["dst", "192.0.2.1", "( prot", "=", "80 )"])
        }
        #expect(error.excerpt == "dst 192.0.2.1 ( prot = 80 )\n                ^^^^")
        #expect(error.description.hasPrefix("filter, near \"prot\": expected a term: state, exclude,"))
    }

    @Test("What is printed reads back as an equal filter", arguments: 0..<50)
    func roundTrip(seed: UInt64) throws {
        var random = SplitMix64(seed)
        for _ in 0..<200 {
            let filter = SocketFilter.random(terms: .random(in: 1...12, using: &random), &random)
            #expect(try SocketFilter(filter.description) == filter)
            #expect(!filter.description.contains { $0.isNewline })
        }
    }

    @Test("No text is a trap", arguments: 0..<50)
    func fuzz(seed: UInt64) throws {
        var random = SplitMix64(seed)
        let words =
            FilterPool.names + [
                "(", ")", "!", "!=", "=", "<", "<=", ">", "&", "&&", "||", "and", "or", "not", "state", "exclude",
                "estab",
                "src", "dst", "sport", "dport", "dev", "fwmark", "cgroup", "autobound", "pid", "uid", "rtt", "retrans",
                "10/8",
                "[::1]:80", ":80", "*", "1", "80", "10ms", "4k", "0x1/3", "\"", "'", "\\", "\u{0}", "[", "]", "/", ":",
                "::", "1.5s",
            ]
        for _ in 0..<300 {
            let spaced = Bool.random(using: &random)
            let pieces = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                words.randomElement(using: &random) ?? ""
            }
            let text = pieces.joined(separator: spaced ? " " : "")
            // A name would be asked of the network.
            guard !text.contains("src") && !text.contains("dst") || spaced else { continue }
            guard let filter = try? SocketFilter(text) else { continue }
            #expect(try SocketFilter(filter.description) == filter, "\(text)")
        }
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do { _ = try SocketFilter(text) } catch { #expect(error.offset <= text.count) }
        }
    }

    @Test("No nesting is too deep")
    func nesting() throws {
        let depth = 20_000
        let open = String(repeating: "(", count: depth)
        let close = String(repeating: ")", count: depth)
        #expect(try SocketFilter(open + "uid 0" + close) == SocketFilter("uid = 0"))
        #expect(throws: SocketFilterError.self) { try SocketFilter(open + "uid 0") }
        let alternating = String(repeating: "not ( uid 1 or ", count: depth) + "uid 0" + close
        let filter = try SocketFilter(alternating)
        #expect(try SocketFilter(filter.description) == filter)
    }
}
