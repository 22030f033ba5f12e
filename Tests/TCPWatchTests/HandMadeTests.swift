import SocketOwners
import TCPWatch
import Testing

@testable import SockDiag

/// What a user's tests are made of: events that no kernel reported.
@Suite struct HandMadeTests {
    private let identity = SocketIdentity(
        family: .ipv4,
        local: SocketEndpoint(IPAddress(ipv4: 0x7f00_0001), port: 8080),
        remote: SocketEndpoint(IPAddress(ipv4: 0x7f00_0001), port: 43014),
        cookie: SocketCookie(rawValue: 7)
    )
    private let time = EventTime(monotonic: .seconds(5), realtime: .seconds(1_767_225_600))

    private func transition(from: TCPState?, via: [TCPState] = []) -> Transition {
        Transition(identity, from: from, to: .closed, via: via, certainty: .inferred, source: .destroy, time: time)
    }

    @Test func `Events that say the same are equal, and others are not`() {
        let gap = Gap(source: .reader, reason: "slow", lost: 3, time: time)
        #expect(SocketEvent.gap(gap) == .gap(gap))
        #expect(SocketEvent.transition(transition(from: nil)) != .transition(transition(from: .established)))
        #expect(SocketEvent.ready != .slowed(.seconds(1), at: time))
        let socket = WatchedSocket(socket: InetSocket(identity, state: .closeWait), time: time)
        #expect(Set([SocketEvent.socket(socket), .socket(socket)]).count == 1)
    }

    @Test
    func `A connection that is first known by its end prints a question mark, and no state that it was never seen in`()
    {
        let first = transition(from: nil)
        #expect(first.isFirstSeen && first.description == "127.0.0.1:8080 127.0.0.1:43014 ? → CLOSED")
        let known = transition(from: .closeWait, via: [.lastAck])
        #expect(!known.isFirstSeen)
        #expect(known.description == "127.0.0.1:8080 127.0.0.1:43014 CLOSE_WAIT → LAST_ACK → CLOSED")
    }

    @Test func `A socket made by hand says what it was made of, measurements included`() throws {
        let info = TCPInfo([.rtt: 1200, .totalRetrans: 3, .sndWscale: 7, .rcvWscale: 9, .bytesAcked: 1 << 40])
        let socket = InetSocket(
            identity,
            state: .established,
            uid: 1000,
            inode: 42,
            receiveQueue: 5,
            sendQueue: 6,
            tcpInfo: info
        )
        #expect(socket.identity == identity && socket.state == .established)
        #expect(socket.uid == 1000 && socket.inode == 42 && socket.receiveQueue == 5 && socket.sendQueue == 6)
        let read = try #require(socket.tcpInfo)
        #expect(read == info)
        #expect(read[.rtt] == 1200 && read[.totalRetrans] == 3 && read[.bytesAcked] == 1 << 40)
        #expect(read[.sndWscale] == 7 && read[.rcvWscale] == 9 && read[.sndCwnd] == 0)
        #expect(read[.bytesReceived] == nil, "it lies behind the last that was given")
    }

    @Test func `A measurement of more bits than its field has does not spill into another`() {
        let info = TCPInfo([.sndWscale: 0xff, .rto: .max])
        #expect(info[.sndWscale] == 15 && info[.rcvWscale] == 0)
        #expect(info[.rto] == UInt64(UInt32.max) && info[.ato] == 0)
        #expect(TCPInfo([:])[.totalRetrans] == 0 && TCPInfo([:])[.pacingRate] == nil)
    }

    @Test func `Owners by hand are found by inode, and two snapshots of the same are equal`() {
        let owner = SocketOwner(pid: 4711, name: ProcessName("nginx"), descriptor: 8)
        let snapshot = OwnerSnapshot(owners: [42: [owner], 43: []])
        #expect(snapshot[42] == [owner] && snapshot[43].isEmpty && snapshot[44].isEmpty)
        #expect(snapshot == OwnerSnapshot(owners: [43: [], 42: [owner]]))
        #expect(snapshot != OwnerSnapshot(owners: [42: [owner]]))
    }

    @Test func `A namespace by hand is the one that is found under its number`() throws {
        let current = try NetworkNamespace.current
        let same = NetworkNamespace(id: current.id)
        #expect(same == current && same.label == "net:[\(current.inode)]")
        // Also where there is only the number to find it by.
        var client = try SockDiagClient(in: same)
        _ = try client.sockets(in: .listen)
        #expect(NetworkNamespace(id: current.id, name: "web", pid: 1).name == "web")
    }
}
