import SeededRandom
import SockDiag
import TCPRecords
import TCPWatch
import Testing

@Suite("A socket that is read has the details that were written")
struct SocketDetailTests {
    @Test(arguments: 0..<20)
    func `Whatever the kernel says comes back by every accessor`(seed: UInt64) throws {
        var random = SplitMix64(seed)
        var encoder = JSONLinesEncoder(details: .all, names: .none)
        var table = CSVEncoder(.sockets, details: .all, names: .none)
        let header = String(decoding: table.takeBytes(), as: UTF8.self)
        for _ in 0..<50 {
            let socket = try random.socket()
            encoder.append(socket)
            let line = encoder.takeBytes()
            let record = try Record(jsonLine: line)
            try expectSame(try #require(record.socket), socket)
            encoder.append(record)
            #expect(encoder.takeBytes() == line)
            table.append(socket)
            let row = table.takeBytes()
            let read = try CSVDecoder(header: header).record(row)
            try expectSame(try #require(read.socket), socket)
            table.append(read)
            #expect(table.takeBytes() == row)
        }
    }

    private func expectSame(_ read: InetSocket, _ socket: InetSocket) throws {
        #expect(read.identity == socket.identity && read.state == socket.state)
        #expect((read.uid, read.inode) == (socket.uid, socket.inode))
        #expect((read.receiveQueue, read.sendQueue) == (socket.receiveQueue, socket.sendQueue))
        #expect(read.timer == socket.timer && read.isMinisocket == socket.isMinisocket)
        for field in TCPInfo.Field.allCases {
            #expect(read.tcpInfo?[field] == socket.tcpInfo?[field], "\(field.name)")
        }
        #expect(read.memory == socket.memory)
        #expect(read.congestion == socket.congestion && read.congestionInfo == socket.congestionInfo)
        #expect(read.upperLayerProtocol == socket.upperLayerProtocol)
        #expect(read.md5Signatures.map(\.address) == socket.md5Signatures.map(\.address))
        #expect(read.md5Signatures.map(\.prefixLength) == socket.md5Signatures.map(\.prefixLength))
        #expect((read.mark, read.classID) == (socket.mark, socket.classID))
        #expect(read.shutdown == socket.shutdown && read.isIPv6Only == socket.isIPv6Only)
        #expect((read.tos, read.trafficClass) == (socket.tos, socket.trafficClass))
        #expect(read.options == socket.options)
    }

    @Test func `A filter finds a socket that was read`() throws {
        let line = """
            {"schema":1,"type":"socket","family":"ipv4","state":"CLOSE_WAIT","local_address":"192.0.2.1","local_port":443,\
            "remote_address":"198.51.100.7","remote_port":50000,"cookie":"7","uid":1000,"inode":4242,\
            "tcp_info":{"rtt":60000},"processes":[{"pid":4711,"name":"nginx","fd":8}],"future":{"a":[1]}}
            """
        let record = try Record(jsonLine: line)
        let socket = try #require(record.socket)
        var client = try SockDiagClient()
        for (filter, isFound) in [("sport = 443 and rtt > 50ms", true), ("state established", false)] {
            let matcher = try client.matcher(for: try SocketFilter(filter))
            #expect(matcher.matches(socket) == isFound, "\(filter)")
        }
        guard case .socket(let watched) = record.content else { return }
        #expect(watched.owners == [SocketOwner(pid: 4711, name: ProcessName("nginx"), descriptor: 8)])
    }

    @Test func `Measurements can be made by hand`() {
        let info = TCPInfo([.rtt: 200, .sndWscale: 7, .rcvWscale: 9, .bytesSent: 1 << 60])
        #expect((info[.rtt], info[.sndWscale], info[.rcvWscale]) == (200, 7, 9))
        #expect((info[.bytesSent], info[.rto], info[.bytesRetrans]) == (1 << 60, 0, nil))
        #expect(TCPInfo([:])[.totalRetrans] == 0)
    }
}

extension Record {
    fileprivate var socket: InetSocket? { if case .socket(let socket) = content { socket.socket } else { nil } }
}

extension SplitMix64 {
    /// A socket with attributes, as the kernel describes one.
    fileprivate mutating func socket() throws -> InetSocket {
        var message = [UInt8](repeating: 0, count: 72)
        for index in message.indices { message[index] = UInt8(truncatingIfNeeded: next()) }
        (message[0], message[1]) = (one(of: [2, 10]), one(of: [1, 3, 6, 7, 8, 10, 14]))
        message.replaceSubrange(40..<44, with: word(UInt32(below(3))))
        message[2] = UInt8(below(7))
        // Bits that stand for nothing are not in a record: kernels send none of them.
        var info = bytes(4 * (26 + below(43)))
        info[7] &= 0b111
        attribute(2, info, &message)
        attribute(7, bytes(below(2) == 0 ? 32 : 36), &message)
        attribute(4, Array("cubic\0".utf8), &message)
        switch below(4) {
        case 0: attribute(16, bytes(20), &message)
        case 1: attribute(9, [1, 0] + bytes(14), &message)
        case 2: attribute(3, [1, 0, 0, 0] + bytes(12), &message)
        default: break
        }
        attribute(19, upperLayerProtocol(), &message)
        attribute(18, [2, UInt8(below(33)), 3, 0] + bytes(4) + [UInt8](repeating: 0, count: 92), &message)
        attribute(15, bytes(4), &message)
        attribute(8, [UInt8(below(4))], &message)
        attribute(11, [UInt8(below(2))], &message)
        attribute(5, bytes(1), &message)
        attribute(6, bytes(1), &message)
        attribute(17, bytes(4), &message)
        attribute(22, word(UInt16(below(0x800))), &message)
        return try InetSocket(message: message)
    }

    private mutating func upperLayerProtocol() -> [UInt8] {
        var nested: [UInt8] = []
        if happens(500) {
            attribute(1, Array("tls\0".utf8), &nested, always: true)
            var tls: [UInt8] = []
            attribute(1, word(one(of: [0x303, 0x304, 0x999] as [UInt16])), &tls)
            attribute(2, word(UInt16(50 + below(12))), &tls)
            attribute(3, word(UInt16(below(6))), &tls)
            attribute(4, word(UInt16(below(6))), &tls)
            if !tls.isEmpty { attribute(2, tls, &nested) }
        } else {
            attribute(1, Array("mptcp\0".utf8), &nested, always: true)
            var subflow: [UInt8] = []
            for (type, size) in [(1, 4), (2, 4), (3, 4), (4, 8), (5, 4), (6, 4), (7, 2), (9, 1), (10, 1)] {
                attribute(UInt16(type), bytes(size), &subflow)
            }
            attribute(8, word(UInt32(below(0x200))), &subflow)
            if !subflow.isEmpty { attribute(3, subflow, &nested) }
        }
        return nested
    }

    /// Mostly appends an attribute.
    private mutating func attribute(_ type: UInt16, _ value: [UInt8], _ message: inout [UInt8], always: Bool = false) {
        guard always || happens(700) else { return }
        message += word(UInt16(4 + value.count)) + word(type) + value
        message += [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
    }

    private mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    private func word(_ number: some FixedWidthInteger & BitwiseCopyable) -> [UInt8] {
        withUnsafeBytes(of: number) { [UInt8]($0) }
    }
}
