import Testing

@testable import TCPStatesCommands

@Suite struct UsageTests {
    @Test(
        arguments: [
            (["--sate", "listen"], "unknown option '--sate'; did you mean '--state'?"),
            (["-y"], "unknown option '-y'; see tcpstates list --help"),
            (
                ["lst"],
                """
                'lst' is neither a command nor a filter; commands are list, summary, watch, replay, run, explain, doctor, serve; filters \
                are in tcpstates list --help
                """
            ),
            (
                ["lst", "=", "4"],
                """
                filter, near "lst": expected a term: state, exclude, src, dst, sport, dport, dev, fwmark, cgroup, \
                autobound, pid, process, uid, inode, cookie, recvq, sendq, rtt, retrans, netns; filters are in tcpstates \
                list --help
                """
            ),
            (["summary", "-i"], "unknown option '-i'; see tcpstates summary --help"),
            (
                ["summary", "--format", "prometheus", "--by", "local-port,uid"],
                "--format prometheus has no groups by uid; there are state, local-port, process, netns"
            ),
            (
                ["summary", "--json", "--format", "prometheus"],
                "--json contradicts --format prometheus; leave one of them out"
            ),
            (
                ["list", "--format", "prometheus"],
                "the value 'prometheus' is invalid for '--format <format>'; please provide one of 'table', 'jsonl' or 'csv'"
            ),
            (["--state"], "missing value for '--state <states>'; see tcpstates list --help"),
            (
                ["--format", "xml"],
                "the value 'xml' is invalid for '--format <format>'; please provide one of 'table', 'jsonl' or 'csv'"
            ),
            (
                ["summary", "--by", "state,prot"],
                """
                the value 'state,prot' is invalid for '--by <keys>': no key 'prot'; there are state, local-port, peer, \
                process, uid, netns
                """
            ),
            (
                ["watch", "--journal", "/tmp/one", "--output", "/tmp/../tmp/./one"],
                "--journal and --output are the same file, /tmp/one; give the journal one of its own"
            ),
            (["--json", "--format", "csv"], "--json contradicts --format csv; leave one of them out"),
        ]
    )
    func wrongUsageIsOneLineThatNamesTheWordAndTheRemedy(_ arguments: [String], _ message: String) throws {
        let result = try Tool.run(arguments)
        #expect(result.status == 64)
        #expect(result.output.isEmpty)
        #expect(result.errors == "tcpstates: \(message)\n")
    }

    @Test(arguments: ["estb", "", "listen,,estab", "listen,estb", "state_99", "listen\u{1b}[31m"])
    func wrongStateIsOneLineWithAllStates(_ states: String) throws {
        let result = try Tool.run(["--state", states])
        #expect(result.status == 64)
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(result.errors.contains("there are BOUND, LISTEN, SYN_SENT"))
        #expect(!result.errors.contains("\u{1b}"))
    }

    @Test(
        arguments: [
            ["LISTEN"], ["listen"], ["estab,syn-recv", "time_wait"], ["fin-wait"], ["closing-states"], ["unconn"],
            ["SYN-RECEIVED"], ["state_14"], ["all"],
        ]
    )
    func everySpellingOfAStateIsUnderstood(_ states: [String]) throws {
        let result = try Tool.run(states.flatMap { ["--state", $0] } + ["-H"])
        #expect(result.status == 0)
        // Of sockets in CLOSED that no dump lists it is said which processes could not be searched.
        #expect(result.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("tcpstates: not all was searched: ") })
    }
}
