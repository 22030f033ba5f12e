import SockDiag
import SocketValues
import TCPWatch
import Testing

@testable import SocketLeaks

/// What counts as forgotten, without a kernel.
@Suite struct ForgottenRuleTests {
    private static func socket(_ state: TCPState, localPort: UInt16 = 80) -> InetSocket {
        let identity = SocketIdentity(
            family: .ipv4,
            local: SocketEndpoint(.loopbackIPv4, port: localPort),
            remote: SocketEndpoint(.loopbackIPv4, port: state == .bound ? 0 : 40_000),
            cookie: SocketCookie(rawValue: 7)
        )
        return InetSocket(identity, state: state == .bound ? .closed : state, uid: 0, inode: 9)
    }

    @Test(
        arguments: [
            (.closeWait, .peerClosed), (.finWait2, .halfClosed), (.closed, .closed), (.bound, .bound),
            (.established, nil),
            (.listen, nil), (.synSent, nil), (.finWait1, nil), (.closing, nil), (.lastAck, nil),
        ] as [(TCPState, ForgottenSocket.Kind?)]
    )
    func onlyWhatTheKernelDoesNotEndIsForgotten(_ state: TCPState, _ kind: ForgottenSocket.Kind?) {
        let rule = ForgottenRule(Self.socket(state))
        #expect(rule?.kind == kind)
    }

    @Test func ofSeveralListenersTheOldestThatWaitMayBeAnothers() {
        let ages: [Duration] = [.seconds(3), .seconds(90), .seconds(60)]
        #expect(ForgottenRule(listenerWith: ages, others: 0)?.age == .seconds(90))
        #expect(ForgottenRule(listenerWith: ages, others: 1)?.age == .seconds(60))
        #expect(ForgottenRule(listenerWith: ages, others: 2)?.age == .seconds(3))
        #expect(ForgottenRule(listenerWith: ages, others: 3) == nil)
        #expect(ForgottenRule(listenerWith: [], others: 0) == nil)
    }

    @Test func everyKindHasWordsOfItsOwn() {
        let socket = WatchedSocket(socket: Self.socket(.closed))
        let other = ForgottenSocket(.init(rawValue: "other"), socket, holders: [], age: SocketAge(.zero, by: .search))
        let remedies = ForgottenSocket.Kind.allCases.map(\.remedy)
        #expect(Set(remedies).count == remedies.count)
        #expect(!remedies.contains(other.kind.remedy))
        #expect(ForgottenSocket.Kind.allCases.allSatisfy { $0.threshold >= .seconds(60) })
    }

    @Test func aForgottenSocketReadsAsReviewed() {
        let owner = SocketOwner(pid: 4711, name: ProcessName("server"), descriptor: 7)
        let holder = SocketHolder(owner, of: ProcessIdentity(pid: 4711, startTime: 100))
        let closeWait = ForgottenSocket(
            .peerClosed,
            WatchedSocket(socket: Self.socket(.closeWait)),
            holders: [holder],
            age: SocketAge(.seconds(130), by: .segment),
            openedBy: .passive
        )
        #expect(
            closeWait.description == """
                CLOSE_WAIT 127.0.0.1:80 ← 127.0.0.1:40000 for at least 2 min, held by server(4711):7
                  the peer closed and nobody called close() here
                """
        )
        let nowhere = WatchedSocket(
            remembered: SocketIdentity(
                family: .ipv6,
                local: SocketEndpoint(.anyIPv6, port: 0),
                remote: SocketEndpoint(.anyIPv6, port: 0),
                cookie: .any
            ),
            in: .closed,
            uid: nil,
            inode: 9,
            namespace: nil,
            owners: []
        )
        let unconnected = ForgottenSocket(
            .unconnected,
            nowhere,
            holders: [holder],
            protocolName: .tcpv6,
            age: SocketAge(.zero, by: .search)
        )
        #expect(unconnected.summary == "CLOSED (TCPv6, in no dump) for an unknown time, held by server(4711):7")
    }

    @Test(
        arguments: [
            (.milliseconds(12), "12 ms"), (.milliseconds(2345), "2.3 s"), (.seconds(119), "119.0 s"),
            (.seconds(120), "2 min"),
            (.seconds(7199), "119 min"), (.seconds(7200), "2 h"), (.seconds(200_000), "2 d"),
        ] as [(Duration, String)]
    )
    func aDurationIsNeverRoundedUp(_ duration: Duration, _ text: String) {
        #expect(duration.inWords == text)
    }

    @Test func whatWasNotSeenIsSaid() {
        var coverage = SearchCoverage(processes: ScanCoverage(processes: 2, descriptors: 9))
        #expect(coverage.isComplete)
        #expect(coverage.description == "searched 2 processes with 9 descriptors")
        coverage.unreadableNamespaces = 2
        coverage.processes = ScanCoverage(processes: 2, descriptors: 9, unreadable: 1)
        #expect(
            coverage.description
                == "not all was searched: 1 process cannot be read: it takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, "
                + "as root has them; 2 network namespaces cannot be read: it takes CAP_SYS_ADMIN"
        )
    }
}
