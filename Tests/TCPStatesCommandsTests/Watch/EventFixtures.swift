import SockDiag
import SocketOwners
import TCPStateLab

@testable import TCPStatesCommands
@testable import TCPWatch

/// What a watcher reports in the snapshots: a connection's whole life on both sides, and each thing that is written in
/// its own way.
enum EventFixtures {
    /// 2026-11-23T07:20:46.123456789Z
    static let start = EventTime(
        monotonicNanoseconds: 9_007_199_254_740_993,
        realtimeNanoseconds: 1_795_418_446_123_456_789
    )

    static func all() throws -> [SocketEvent] {
        try [
            .socket(WatchedSocket(socket: Fixtures.listener.socket())),
            .socket(WatchedSocket(socket: Fixtures.closeWait.socket())), .ready,
            .transition(transition(.closed, .established, via: [.synSent], after: 0)),
            .transition(transition(.closed, .synReceived, after: 1, of: server)),
            .transition(transition(.synReceived, .established, inState: .milliseconds(3), after: 4, of: server)),
            .gap(Gap(source: .destroy, reason: "the kernel's messages came faster than they were read", lost: 12)),
            .slowed(.milliseconds(500), at: start),
            .retransmission(Retransmission(server, in: .established, .tailLossProbe, time: start, uid: 1000)),
            .transition(
                transition(.established, .closeWait, inState: .milliseconds(12_345), after: 12_349, of: server)
            ),
            .transition(
                transition(
                    .established,
                    .timeWait,
                    via: [.finWait1, .finWait2],
                    inState: .seconds(130),
                    after: 130_000
                )
            ),
            .transition(
                transition(.closeWait, .closed, via: [.lastAck], inState: .seconds(3), after: 15_349, of: server) {
                    $0.final = counters
                    $0.source = .destroy
                    $0.timeOpen = .milliseconds(15_348)
                }
            ),
            .transition(
                transition(.timeWait, .closed, inState: .seconds(60), after: 190_000) {
                    $0.final = FinalCounters(nil)
                    $0.final?.duration = .seconds(190)
                }
            ),
            .transition(
                transition(nil, .closed, after: 200_000, of: short) {
                    $0.source = .destroy
                    $0.final = FinalCounters(nil)
                }
            ),
            .transition(
                transition(.listen, .closed, inState: .seconds(90_061), after: 200_001, of: linkLocal) {
                    ($0.source, $0.certainty, $0.cause, $0.pid) = (.trace, .exact, .close, 4711)
                    $0.processName = ProcessName("evil\u{1b}[31m")
                }
            ),
            .transition(
                transition(.established, .closed, inState: .seconds(1), after: 200_002, of: short) {
                    ($0.source, $0.certainty, $0.cause) = (.trace, .exact, .receiveRST)
                }
            ),
            .transition(
                transition(.closeWait, .closed, inState: .seconds(1), after: 200_003, of: server) {
                    ($0.source, $0.certainty, $0.cause, $0.resetReason) = (.trace, .exact, .abort, .abortOnClose)
                    $0.incarnation = 1
                }
            ),
        ]
    }

    private static let client = identity("192.0.2.1", 40_000, "198.51.100.7", 443, 0x1a2b)
    private static let server = identity("198.51.100.7", 443, "192.0.2.1", 40_000, 0xffff_ffff_ffff_fffe)
    private static let short = identity("2001:db8::1", 40_001, "2001:db8::2", 443, 0x1a2c)
    private static let linkLocal = identity("fe80::1", 8080, "::", 0, 7, interface: 2)

    /// More bytes than a double can count.
    private static var counters: FinalCounters {
        var counters = FinalCounters(nil)
        counters.bytesSent = 9_007_199_254_740_993
        counters.bytesReceived = 340
        counters.segmentsOut = 12
        counters.segmentsIn = 11
        counters.retransmits = 3
        counters.rttMicroseconds = 40_123
        counters.duration = .milliseconds(15_348)
        return counters
    }

    private static func identity(
        _ local: String,
        _ localPort: UInt16,
        _ remote: String,
        _ remotePort: UInt16,
        _ cookie: UInt64,
        interface: UInt32? = nil
    ) -> SocketIdentity {
        let device = interface.map { NetworkInterface(rawValue: $0) }
        let (near, far) = (IPAddress(local) ?? .anyIPv4, IPAddress(remote) ?? .anyIPv4)
        return SocketIdentity(
            family: near.family,
            local: SocketEndpoint(near, port: localPort, scope: device),
            remote: SocketEndpoint(far, port: remotePort),
            cookie: SocketCookie(rawValue: cookie),
            interface: device
        )
    }

    /// A transition, so many milliseconds after the start.
    static func transition(
        _ from: TCPState?,
        _ to: TCPState,
        via: [TCPState] = [],
        inState: Duration? = nil,
        after milliseconds: UInt64,
        of identity: SocketIdentity = client,
        _ change: (inout Transition) -> Void = { _ in }
    ) -> Transition {
        var transition = Transition(
            identity,
            from: from,
            to: to,
            via: via,
            certainty: via.isEmpty ? .observed : .inferred,
            source: .poll,
            time: EventTime(
                monotonicNanoseconds: start.monotonicNanoseconds + milliseconds * 1_000_000,
                realtimeNanoseconds: start.realtimeNanoseconds + milliseconds * 1_000_000
            )
        )
        transition.openedBy =
            identity == server ? .passive : identity == short || identity == linkLocal ? .unknown : .active
        transition.timeInState = inState
        (transition.uid, transition.inode) = (1000, 4242)
        transition.owners = [SocketOwner(pid: 4711, name: ProcessName("evil\u{1b}[31m"), descriptor: 8)]
        change(&transition)
        return transition
    }
}
