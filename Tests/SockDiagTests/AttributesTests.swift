import Testing

@testable import SockDiag

/// The walk over `struct nlattr`: nothing is lost, nothing is read twice, nothing outside of its bounds.
struct AttributesTests {
    private func types(_ attributes: [UInt8]...) throws -> [UInt16] {
        var types: [UInt16] = []
        try InetSocket(message: Message.establishedIPv4 + attributes.joined()).forEachAttribute { type, _ in
            types.append(type.rawValue)
        }
        return types
    }

    @Test func `Every attribute is visited once in the order of the message`() throws {
        let socket = try InetSocket(message: Message.establishedIPv4 + Attribute.everything.joined())
        var types: [UInt16] = []
        var bytes: [UInt8] = []
        socket.forEachAttribute { type, value in
            types.append(type.rawValue)
            bytes += value.array()
        }
        #expect(types == [8, 5, 6, 11, 15, 21, 1, 7, 10, 2, 4, 18, 19, 16, 9, 3, 17, 22, 4000])
        #expect(bytes == Attribute.everything.flatMap { $0[4..<Attribute.length(of: $0)] })
    }

    @Test func `An attribute of an unknown type is kept as it was sent`() throws {
        let bytes = Message.establishedIPv4 + Attribute.unknown + Attribute.tos
        let socket = try InetSocket(message: bytes)
        #expect(socket.attribute(AttributeType(rawValue: 4000)) == [1, 2, 3, 4, 5, 6, 7])
        #expect(socket.attribute(AttributeType(rawValue: 4001)) == nil)
        #expect(socket.tos == 0x12, "what follows it is still found")
        #expect(socket.withMessage { $0.array() } == bytes)
    }

    @Test func `The flags beside the type are not part of it`() throws {
        for flags in [0x80, 0x40, 0xc0] as [UInt8] {  // NLA_F_NESTED, NLA_F_NET_BYTEORDER
            #expect(try types([5, 0, 5, flags, 0x12, 0, 0, 0]) == [5])
            #expect(try types([8, 0, 0xbc, 0x3a | flags, 1, 2, 3, 4]) == [0x3abc])
        }
    }

    @Test func `Of two attributes of a type, the first is the one that is read`() throws {
        let socket = try InetSocket(message: Message.establishedIPv4 + Attribute.tos + [5, 0, 5, 0, 0x99, 0, 0, 0])
        #expect(socket.tos == 0x12)
        #expect(try types(Attribute.tos, Attribute.tos) == [5, 5])
    }

    @Test func `An empty attribute is there and has no number`() throws {
        let socket = try InetSocket(message: Message.establishedIPv4 + [4, 0, 5, 0] + Attribute.trafficClass)
        #expect(socket.attribute(.tos) == [])
        #expect(socket.tos == nil)
        #expect(socket.trafficClass == 0xb8)
    }

    @Test(
        arguments: [
            [3, 0, 5, 0],  // a length that does not hold its own header, and would never end the walk
            [0, 0, 0, 0],
            [9, 0, 5, 0, 1, 2, 3, 4],  // one byte longer than the message
            [0xff, 0xff, 5, 0, 1, 2, 3, 4],
            [5, 0, 5],  // half of a header
            [5, 0, 5, 0, 0x12, 0, 0, 0, 1],  // a byte left over
        ] as [[UInt8]]
    )
    func aLengthThatContradictsTheMessageIsAnErrorThatSaysSo(attributes: [UInt8]) throws {
        let error = #expect(throws: KernelError.self) {
            try InetSocket(message: Message.establishedIPv4 + Attribute.mark + attributes)
        }
        #expect(error?.code == .malformedReply)
        #expect(error?.errno == 0)
        #expect(
            error?.description
                == "cannot read a socket from the kernel's answer: an attribute's length contradicts the message's"
        )
    }

    @Test func `The last attribute needs no padding`() throws {
        let socket = try InetSocket(message: Message.establishedIPv4 + Attribute.mark + [5, 0, 5, 0, 0x12])
        #expect(socket.tos == 0x12)
        #expect(socket.mark == 0x9234_5678)
    }
}
