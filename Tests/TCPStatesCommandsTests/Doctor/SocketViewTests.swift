import SockDiag
import TCPDiagnosis
import Testing

@testable import TCPStatesCommands

/// What the command line makes of what the libraries leave to it.
@Suite struct SocketViewTests {
    @Test(
        arguments: [
            (SocketView(), "tcpstates"),
            (
                SocketView(states: .closeWait, pid: 4711, details: [.owners, .tcpInfo]),
                "tcpstates -pi --state close-wait pid = 4711"
            ),
            (
                SocketView(filter: .receiveQueue > 0, pid: 4711, details: [.owners, .memory]),
                "tcpstates -pm 'recvq > 0' and pid = 4711"
            ),
            (
                SocketView(
                    filter: .remote(IPAddress(ipv4: 0xc000_0201)) && .sendQueue > 0,
                    details: [.owners, .timers]
                ),
                "tcpstates -po 'dst 192.0.2.1 and sendq > 0'"
            ),
            (SocketView(filter: .retransmits > 0, details: [.tcpInfo, .timers]), "tcpstates -io 'retrans > 0'"),
            (
                SocketView(states: [.finWait1, .lastAck, .closing], isCountedByPeer: true),
                "tcpstates summary --by peer --state fin-wait-1,last-ack,closing"
            ),
            (
                SocketView(filter: .receiveQueue > 100_000 || .sendQueue > 100_000, details: [.owners, .memory]),
                "tcpstates -pm 'recvq > 100000 or sendq > 100000'"
            ),
        ]
    )
    func `A view is a command line that lists its sockets`(view: SocketView, command: String) {
        #expect(view.command == command)
    }

    @Test func `A view of another namespace says where it is`() throws {
        var view = SocketView(states: .finWait2, details: .owners)
        view.namespace = try .current
        #expect(view.command.hasPrefix("tcpstates -p --state fin-wait-2 --netns "))
    }
}
