internal import SockDiag
internal import TCPStateLab
internal import Testing

@Suite("Half-open requests in any number")
struct FloodTests {
    @Test(arguments: [100, 1000], [LabNetwork.ipv4, .ipv6])
    func `So many requests are half open on one listener`(count: Int, network: LabNetwork) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let requests = try lab.flood(count, over: network)
        let rows = try lab.procNetTCP().filter { $0.state == .synReceived }
        #expect(rows.count == count)
        #expect(Set(rows.map(\.remote)) == Set(requests.map(\.remote)))
        #expect(Set(rows.map(\.local)) == [requests[0].local])
        #expect(rows.allSatisfy { $0.inode == 0 })

        try requests[count / 2].peer.send(.ack)
        try requests[0].peer.send(.rst)
        #expect(try lab.row(of: requests[count / 2])?.state == .established)
        #expect(try lab.row(of: requests[0]) == nil)
        #expect(try lab.procNetTCP().filter { $0.state == .synReceived }.count == count - 2)
    }

    @Test func `A full queue answers with SYN cookies that leave no request, as the namespace is set`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.tcp_syncookies", 2)
        let request = try lab.server(in: .synReceived)
        #expect(try lab.row(of: request) == nil)
        try request.peer.send(.ack)
        #expect(try lab.row(of: request)?.state == .established)
    }
}
