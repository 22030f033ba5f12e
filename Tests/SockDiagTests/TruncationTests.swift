import Testing

@testable import SockDiag

/// Messages and attributes cut short at every length: never a trap, never a value made of other bytes.
struct TruncationTests {
    @Test func `Every attribute cut at every length is read whole or not at all`() throws {
        for attribute in Attribute.everything + [Attribute.socketMemoryWithoutDrops, Attribute.ulpTLS] {
            let type = AttributeType(rawValue: UInt16(attribute[2]) | UInt16(attribute[3] & 0x3f) << 8)
            let length = Attribute.length(of: attribute)
            let whole = try InetSocket(message: Message.establishedIPv4 + attribute)
            for cut in 4...length {
                let header = [UInt8(cut & 0xff), UInt8(cut >> 8)] + attribute[2..<4]
                let socket = try InetSocket(message: Message.establishedIPv4 + header + attribute[4..<cut])
                #expect(socket.attribute(type) == Array(attribute[4..<cut]))
                _ = everything(of: socket)
                if cut == length { #expect(everything(of: socket) == everything(of: whole)) }
            }
        }
    }

    @Test func `A message cut at every length is refused or well-formed`() throws {
        let message = Message.establishedIPv4 + Attribute.everything.joined()
        var ends: Set<Int> = [72]
        for attribute in Attribute.everything {
            let start = ends.max() ?? 0
            ends.formUnion((start + Attribute.length(of: attribute))...(start + attribute.count))
        }
        for length in 0...message.count {
            do {
                let socket = try InetSocket(message: Array(message.prefix(length)))
                #expect(ends.contains(length))
                _ = everything(of: socket)
            } catch {
                #expect(!ends.contains(length))
                #expect(error.code == .malformedReply)
            }
        }
    }

    @Test(arguments: [0, 1, 71]) func `Fewer bytes than the fixed fields are named in the error`(length: Int) {
        let error = #expect(throws: KernelError.self) {
            try InetSocket(message: Array(Message.timeWait.prefix(length)))
        }
        #expect(
            error?.description
                == "cannot read a socket from the kernel's answer: \(length) bytes where struct inet_diag_msg has 72"
        )
    }
}
