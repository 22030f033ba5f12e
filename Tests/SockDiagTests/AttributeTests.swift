import Testing

@testable import SockDiag

/// Every attribute behind a socket's message, each decoded from bytes whose meaning stands beside them.
struct AttributeTests {
    private func socket(_ attributes: [UInt8]...) throws -> InetSocket {
        try InetSocket(message: Message.establishedIPv4 + attributes.joined())
    }

    @Test func `The memory of the queues is not mixed up`() throws {
        let memory = try #require(try socket(Attribute.memory).queueMemory)
        #expect((memory.receive, memory.send, memory.forward, memory.transmit) == (257, 514, 771, 1028))
    }

    @Test func `The memory of the socket is not mixed up, and older kernels report no drops`() throws {
        let memory = try #require(try socket(Attribute.socketMemory).memory)
        #expect(memory.rmemAlloc == 0x0100_0001)
        #expect(memory.rcvbuf == 0x0100_0002)
        #expect(memory.wmemAlloc == 0x0100_0003)
        #expect(memory.sndbuf == 0x0100_0004)
        #expect(memory.fwdAlloc == 0x0100_0005)
        #expect(memory.wmemQueued == 0x0100_0006)
        #expect(memory.optmem == 0x0100_0007)
        #expect(memory.backlog == 0x0100_0008)
        #expect(memory.drops == 0x0100_0009)
        let older = try #require(try socket(Attribute.socketMemoryWithoutDrops).memory)
        #expect(older.backlog == 0x0100_0008)
        #expect(older.drops == nil)
    }

    @Test func `The measurements are found behind other attributes`() throws {
        let info = try #require(try socket(Attribute.tos, Attribute.congestion, Attribute.info).tcpInfo)
        #expect(info[.rtt] == 24 * 0x0101_0101)
        #expect(info.byteCount == 280)
    }

    @Test func `The name of the congestion control ends at its NUL`() throws {
        #expect(try socket(Attribute.congestion).congestion == "cubic")
        let unterminated: [UInt8] = [7, 0, 4, 0, 0x62, 0x62, 0x72, 0]
        #expect(try socket(unterminated).congestion == "bbr")
        let notText: [UInt8] = [6, 0, 4, 0, 0xff, 0, 0, 0]
        #expect(try socket(notText).congestion == "\u{fffd}")
    }

    @Test func `What Vegas reports is not mixed up`() throws {
        guard case .vegas(let info) = try socket(Attribute.vegas).congestionInfo else {
            Issue.record("not Vegas")
            return
        }
        #expect((info.isEnabled, info.rttCount, info.rtt, info.minRTT) == (true, 514, 197_379, 67_372_036))
    }

    @Test func `What DCTCP reports is not mixed up`() throws {
        guard case .dctcp(let info) = try socket(Attribute.dctcp).congestionInfo else {
            Issue.record("not DCTCP")
            return
        }
        #expect((info.isEnabled, info.ceState, info.alpha) == (true, 258, 771))
        #expect((info.markedBytes, info.totalBytes) == (263_172, 84_215_045))
    }

    @Test func `What BBR reports is not mixed up`() throws {
        guard case .bbr(let info) = try socket(Attribute.bbr).congestionInfo else {
            Issue.record("not BBR")
            return
        }
        #expect(info.bandwidth == 0x202_8101_0101)
        #expect((info.minRTT, info.pacingGain, info.cwndGain) == (50_529_027, 739, 740))
    }

    @Test func `The numbers of one byte are read without their padding`() throws {
        let socket = try socket(
            [5, 0, 5, 0, 0x12, 0xff, 0xff, 0xff],  // INET_DIAG_TOS, padded with other than zeros
            Attribute.trafficClass,
            Attribute.shutdown,
            Attribute.ipv6Only,
            Attribute.innerProtocol
        )
        #expect(socket.tos == 0x12)
        #expect(socket.trafficClass == 0xb8)
        #expect(socket.shutdown == .send)
        #expect(socket.isIPv6Only == true)
        #expect(socket.innerProtocol == 89)
    }

    @Test func `The wider numbers are read whole`() throws {
        let socket = try socket(Attribute.mark, Attribute.classID, Attribute.cgroupID)
        #expect(socket.mark == 0x9234_5678)
        #expect(socket.classID == 0x1_0006)
        #expect(socket.cgroupID == 0x0123_4567_89ab_cdef)
    }

    @Test func `The socket options keep bits that nobody knows`() throws {
        let options = try #require(try socket(Attribute.socketOptions).options)
        let known: SocketOptions = [
            .isConnectionOriented, .freebind, .multicastLoop, .bindAddressNoPort, .deferConnect,
        ]
        #expect(options == known.union(SocketOptions(rawValue: 0x8000)))
    }

    @Test func `TLS reports its version and its cipher`() throws {
        let upper = try #require(try socket(Attribute.ulpTLS).upperLayerProtocol)
        #expect(upper.name == "tls")
        #expect(upper.mptcp == nil)
        let tls = try #require(upper.tls)
        #expect(tls.version == 0x304)
        #expect(tls.cipher == 52)
        #expect((tls.transmit, tls.receive) == (2, 1))
    }

    @Test func `A subflow reports which connection it belongs to`() throws {
        let upper = try #require(try socket(Attribute.ulpMPTCP).upperLayerProtocol)
        #expect(upper.name == "mptcp")
        #expect(upper.tls == nil)
        let subflow = try #require(upper.mptcp)
        #expect(subflow.remoteToken == 0x1001)
        #expect(subflow.localToken == 0x1002)
        #expect(subflow.relativeWriteSequence == 0x1003)
        #expect(subflow.mapSequence == 0x8000_0000_0000_1004)
        #expect(subflow.mapSubflowSequence == 0x1005)
        #expect(subflow.offset == 0x1006)
        #expect(subflow.mapLength == 0x1007)
        #expect(subflow.flags == 0x1008)
        #expect((subflow.remoteID, subflow.localID) == (9, 10))
    }

    @Test func `Every signed peer is listed and no key is ever printed`() throws {
        let socket = try socket(Attribute.md5Signatures)
        let signatures = socket.md5Signatures
        #expect(
            signatures == [
                MD5Signature(address: IPAddress(ipv4: 0xc000_0200), prefixLength: 24, keyLength: 6),
                MD5Signature(
                    address: IPAddress(ipv6: 0x2001_0db8_0001_0002, 0x0003_0004_0005_0006),
                    prefixLength: 128,
                    keyLength: 6
                ),
            ]
        )
        let key = [UInt8]("secret".utf8)
        var dumped = ""
        dump(signatures, to: &dumped)
        for text in ["\(signatures)", String(reflecting: signatures), dumped, "\(socket)", String(reflecting: socket)] {
            #expect(!text.contains("secret") && !text.contains("\(key)".dropFirst().dropLast()))
        }
        #expect(socket.attribute(.md5Signatures)?.count == 200)
    }

    @Test func `What the kernel did not send is nil rather than zero`() throws {
        let socket = try InetSocket(message: Message.establishedIPv4)
        #expect(socket.tcpInfo == nil && socket.memory == nil && socket.queueMemory == nil)
        #expect(socket.congestion == nil && socket.congestionInfo == nil && socket.upperLayerProtocol == nil)
        #expect(socket.tos == nil && socket.trafficClass == nil && socket.shutdown == nil && socket.isIPv6Only == nil)
        #expect(socket.mark == nil && socket.classID == nil && socket.cgroupID == nil && socket.options == nil)
        #expect(socket.innerProtocol == nil && socket.md5Signatures.isEmpty)
    }
}
