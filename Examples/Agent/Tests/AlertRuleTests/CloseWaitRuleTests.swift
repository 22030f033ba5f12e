import SockDiag
import TCPWatch
import Testing

@testable import AlertRule

/// The rule without a kernel: events made by hand, at times made by hand.
@Suite struct CloseWaitRuleTests {
    private let start = EventTime(monotonic: .seconds(1000), realtime: .seconds(1_767_225_600))
    private let identity = SocketIdentity(
        family: .ipv4,
        local: SocketEndpoint(IPAddress(ipv4: 0x7f00_0001), port: 8080),
        remote: SocketEndpoint(IPAddress(ipv4: 0xc000_0207), port: 43014),
        cookie: SocketCookie(rawValue: 0x2a)
    )
    private let owner = SocketOwner(pid: 4711, name: ProcessName("server"), descriptor: 8)

    private func after(_ seconds: Int) -> EventTime { start.advanced(by: .seconds(seconds)) }

    private func transition(from: TCPState?, to: TCPState, at time: EventTime) -> SocketEvent {
        .transition(
            Transition(identity, from: from, to: to, certainty: .exact, source: .trace, time: time, owners: [owner])
        )
    }

    private func existing(_ state: TCPState, at time: EventTime) -> SocketEvent {
        .socket(WatchedSocket(socket: InetSocket(identity, state: state), owners: [owner], time: time))
    }

    @Test func `A connection is reported when its time is up, once, with its owner`() {
        var rule = CloseWaitRule()
        rule.handle(transition(from: .established, to: .closeWait, at: start))
        #expect(rule.alerts(at: after(59)).isEmpty)
        #expect(rule.alerts(at: after(60)) == [.init(identity: identity, since: start, owners: [owner])])
        #expect(rule.alerts(at: after(61)).isEmpty)
    }

    @Test func `A connection that is closed in time is not reported`() {
        var rule = CloseWaitRule()
        rule.handle(transition(from: .established, to: .closeWait, at: start))
        rule.handle(transition(from: .closeWait, to: .lastAck, at: after(30)))
        #expect(rule.alerts(at: after(120)).isEmpty)
    }

    @Test func `A connection that was there before counts from when it was seen`() {
        var rule = CloseWaitRule()
        rule.handle(existing(.closeWait, at: start))
        rule.handle(.ready)
        #expect(rule.alerts(at: after(60)).count == 1)
    }

    @Test func `After events were lost, what is still there keeps its age, and what is gone is forgotten`() {
        var (kept, gone) = (CloseWaitRule(), CloseWaitRule())
        let gap = Gap(source: .reader, reason: "the reader was too slow", lost: 3, time: after(40))
        for event in [transition(from: .established, to: .closeWait, at: start), .gap(gap)] {
            kept.handle(event)
            gone.handle(event)
        }
        kept.handle(existing(.closeWait, at: after(41)))
        kept.handle(.ready)
        gone.handle(.ready)
        #expect(kept.alerts(at: after(60)).map(\.since) == [start])
        #expect(gone.alerts(at: after(60)).isEmpty)
    }

    @Test func `What begins and ends unseen is no alert`() {
        var rule = CloseWaitRule()
        rule.handle(transition(from: nil, to: .closed, at: start))
        #expect(rule.alerts(at: after(120)).isEmpty)
    }
}
