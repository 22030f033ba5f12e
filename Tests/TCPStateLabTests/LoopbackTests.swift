internal import SockDiag
internal import TCPStateLab
internal import Testing

@Suite("Connections with the kernel on both sides")
struct LoopbackTests {
    @Test(arguments: [LabNetwork.ipv4, .ipv6, .ipv4Mapped])
    func `Both sockets are ESTABLISHED, and bytes wait where they were sent to`(network: LabNetwork) throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pair = try lab.loopbackPair(over: network)
        #expect(try pair.client.state() == .established)
        #expect(try pair.accepted.state() == .established)
        #expect(try pair.listener.state() == .listen)
        #expect(pair.client.local.address.isLoopback)

        try pair.send(Array(1...100), from: .client)
        try pair.send(Array(1...20), from: .accepted)
        try pair.send(Array(1...3), from: .client)
        #expect(try queue(of: pair.accepted, lab) == 103)
        #expect(try queue(of: pair.client, lab) == 20)
        #expect(try pair.receive(103, at: .accepted) == Array(1...100) + [1, 2, 3])
        #expect(try queue(of: pair.accepted, lab) == 0)
    }

    @Test func `More than a socket's buffers hold goes through in parts`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let pair = try lab.loopbackPair()
        let part = [UInt8](repeating: 7, count: 50_000)
        for _ in 0..<40 {
            try pair.send(part, from: .client)
            #expect(try pair.receive(part.count, at: .accepted) == part)
        }
    }

    @Test func `There is no link-local pair, and the error says so`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        #expect(throws: LabError.self) { try lab.loopbackPair(over: .linkLocal) }
    }

    private func queue(of socket: KernelSocket, _ lab: Lab) throws -> UInt32? {
        let inode = try socket.inode()
        return try lab.procNetTCP().first { $0.inode == inode }?.receiveQueue
    }
}
