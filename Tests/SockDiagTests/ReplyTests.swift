import Testing

@testable import SockDiag

/// The kernel's answer, datagram by datagram: what belongs to the request is read, what does not is passed over.
struct ReplyTests {
    /// What reading some datagrams came to.
    private struct Outcome {
        var cookies: [UInt64] = []
        var isDone = false
        var wasInterrupted = false
        var count = 0
    }

    private func read(_ datagrams: [UInt8]...) throws(KernelError) -> Outcome {
        var reply = Reply(type: Datagram.socketType, sequence: Datagram.sequence, operation: "dump the TCP sockets")
        var outcome = Outcome()
        for datagram in datagrams {
            guard !outcome.isDone else { break }
            let progress = try reply.read(datagram.span.bytes) { outcome.cookies.append($0.cookie.rawValue) }
            outcome.isDone = progress == .done
        }
        (outcome.wasInterrupted, outcome.count) = (reply.wasInterrupted, reply.count)
        return outcome
    }

    private func failure(_ datagrams: [UInt8]) -> KernelError? {
        do {
            _ = try read(datagrams)
            return nil
        } catch { return error }
    }

    @Test func `Sockets are read in their order across datagrams, until the end`() throws {
        let first = Datagram.socket(Message.request) + Datagram.socket(Message.timeWait + Attribute.mark)
        let second = Datagram.socket(Message.bound)
        let last = Datagram.socket(Message.closed) + Datagram.end()
        #expect(try !read(first, second).isDone)
        let outcome = try read(first, second, last)
        #expect(outcome.cookies == [0x1001, 0x1002, 0x1003, 0x1004])
        #expect(outcome.isDone && outcome.count == 4 && !outcome.wasInterrupted)
    }

    @Test func `The end may come in a datagram of its own, and what is behind it is not read`() throws {
        let outcome = try read(Datagram.socket(Message.bound), Datagram.end() + Datagram.socket(Message.closed))
        #expect(outcome.cookies == [0x1003])
        #expect(outcome.isDone)
    }

    @Test func `What answers another request is passed over`() throws {
        let other: UInt32 = Datagram.sequence - 1
        let datagram =
            Datagram.socket(Message.closed, flags: Datagram.interrupted, sequence: other)
            + Datagram.failure(-1, sequence: other) + Datagram.end(-2, sequence: other)
            + Datagram.socket(Message.bound) + Datagram.message(99, sequence: other, [])
        let outcome = try read(datagram)
        #expect(outcome.cookies == [0x1003])
        #expect(!outcome.isDone && !outcome.wasInterrupted)
    }

    @Test func `A message that says nothing is passed over`() throws {
        let datagram = Datagram.message(Datagram.noop, []) + Datagram.socket(Message.bound) + Datagram.end()
        #expect(try read(datagram).cookies == [0x1003])
        #expect(try !read([]).isDone)
    }

    @Test func `A message of an unknown type is an error that names it`() {
        let error = failure(Datagram.message(18, Message.bound))  // the older request's type answers another question
        #expect(error?.code == .malformedReply)
        #expect(error?.description == "cannot dump the TCP sockets: a message of type 18")
    }

    @Test func `A change meanwhile is remembered to the end`() throws {
        let marked = Datagram.socket(Message.bound, flags: Datagram.multi | Datagram.interrupted)
        let outcome = try read(marked + Datagram.socket(Message.closed) + Datagram.end())
        #expect(outcome.wasInterrupted && outcome.isDone && outcome.count == 2)
        #expect(try read(Datagram.end(flags: Datagram.interrupted)).wasInterrupted)
    }

    @Test func `A length that contradicts the datagram is an error that says so`() {
        let message = Datagram.socket(Message.bound)
        for length in [0, 1, 15, UInt32(message.count + 1), .max] {
            let error = failure(Datagram.bytes(length) + message[4...])
            #expect(error?.code == .malformedReply, "nlmsg_len \(length)")
            #expect(
                error?.description == "cannot dump the TCP sockets: a message's length contradicts its datagram's"
            )
        }
    }

    @Test func `A datagram cut at every length is an error or ends between two messages`() throws {
        let messages = [
            Datagram.socket(Message.establishedIPv4 + Attribute.everything.joined()),
            Datagram.socket(Message.request),
            Datagram.message(Datagram.noop, []), Datagram.end(),
        ]
        let whole = Array(messages.joined())
        var ends: Set<Int> = [0]
        for message in messages { ends.insert((ends.max() ?? 0) + message.count) }
        for length in 0..<whole.count {
            let error = failure(Array(whole.prefix(length)))
            #expect((error == nil) == ends.contains(length), "\(length) bytes")
            #expect(error == nil || error?.code == .malformedReply)
        }
        #expect(try read(whole).isDone)
    }

    @Test func `A socket cut short within a whole message is an error`() {
        let error = failure(Datagram.socket(Array(Message.bound.dropLast(4))))
        #expect(
            error?.description
                == "cannot read a socket from the kernel's answer: 68 bytes where struct inet_diag_msg has 72"
        )
    }
}
