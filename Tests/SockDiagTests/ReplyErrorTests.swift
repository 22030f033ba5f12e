import Glibc
import Testing

@testable import SockDiag

/// `NLMSG_ERROR` and `NLMSG_DONE` with an errno: the right code, and the kernel's own words wherever they lie.
struct ReplyErrorTests {
    private func failure(_ datagram: [UInt8]) -> KernelError? {
        var reply = Reply(type: Datagram.socketType, sequence: Datagram.sequence, operation: "dump the TCP sockets")
        do {
            _ = try reply.read(datagram.span.bytes) { _ in }
            return nil
        } catch { return error }
    }

    private func error(_ code: Int32, flags: UInt16, _ echo: [UInt8], _ attributes: [UInt8] = []) -> KernelError? {
        let payload = Datagram.bytes(UInt32(bitPattern: code)) + echo + attributes
        return failure(Datagram.message(Datagram.error, flags: flags, payload))
    }

    private let words = Datagram.extendedACK("Unknown family")

    @Test func `The kernel's words are found behind an echo that is capped`() {
        let error = error(-EINVAL, flags: Datagram.capped | Datagram.acknowledgement, Datagram.requestHeader, words)
        #expect(error?.code == .invalidRequest)
        #expect(error?.errno == EINVAL)
        #expect(error?.detail == "Unknown family")
        #expect(error?.description == "cannot dump the TCP sockets: Invalid argument (Unknown family)")
    }

    @Test func `The kernel's words are found behind an echo that is whole`() {
        let echo = Datagram.requestHeader + [UInt8](repeating: 0x5a, count: 56)
        let error = error(-EOPNOTSUPP, flags: Datagram.acknowledgement, echo, words)
        #expect(error?.code == .unsupported)
        #expect(error?.detail == "Unknown family")
    }

    @Test func `What is behind the echo is not words unless the flags say so`() {
        #expect(error(-EPERM, flags: Datagram.capped, Datagram.requestHeader, words)?.detail == "")
        #expect(error(-EPERM, flags: 0, Datagram.requestHeader)?.code == .permissionDenied)
    }

    @Test func `An echo that claims more bytes than there are costs the words alone`() {
        for claimed in [100, 0x7fff_fffd, .max] as [UInt32] {
            let echo = Datagram.bytes(claimed) + Datagram.requestHeader[4...]
            let error = error(-EBUSY, flags: Datagram.acknowledgement, echo, words)
            #expect(error?.errno == EBUSY)
            #expect(error?.detail == "")
        }
    }

    @Test func `Words without an end and attributes that are cut short do no harm`() {
        let flags = Datagram.capped | Datagram.acknowledgement
        #expect(error(-EINVAL, flags: flags, Datagram.requestHeader, [7, 0, 1, 0, 0x61, 0x62, 0x63])?.detail == "abc")
        for length in 0..<words.count {
            let error = error(-EINVAL, flags: flags, Datagram.requestHeader, Array(words.prefix(length)))
            #expect(error?.errno == EINVAL, "\(length) bytes")
        }
    }

    @Test func `An errno in the end of a dump is an error with the kernel's words`() {
        #expect(failure(Datagram.end(-ENOENT))?.code == .unsupported)
        let payload = Datagram.bytes(UInt32(bitPattern: -ENOENT)) + words
        let flags = Datagram.multi | Datagram.acknowledgement
        let error = failure(Datagram.message(Datagram.done, flags: flags, payload))
        #expect(error?.errno == ENOENT)
        #expect(error?.detail == "Unknown family")
    }

    @Test func `An acknowledgement and an end without an errno are no errors`() {
        #expect(failure(Datagram.failure(0)) == nil)
        #expect(failure(Datagram.end(0)) == nil)
        #expect(failure(Datagram.end(284)) == nil, "some kernels end a dump with a length")
    }

    @Test func `An error and an end that are too short for their errno are malformed`() {
        for length in 0..<8 {
            let error = failure(Datagram.message(Datagram.error, [UInt8](repeating: 0xff, count: length)))
            #expect(error?.description == "cannot dump the TCP sockets: an error of \(length) bytes")
            #expect(error?.code == .malformedReply)
        }
        for length in 0..<4 {
            let error = failure(Datagram.message(Datagram.done, [UInt8](repeating: 0xff, count: length)))
            #expect(error?.description == "cannot dump the TCP sockets: an end of \(length) bytes")
            #expect(error?.code == .malformedReply)
        }
    }

    @Test func `An errno that has no positive counterpart does not trap`() {
        #expect(failure(Datagram.failure(.min))?.errno == .max)
        #expect(failure(Datagram.end(.min))?.code == .system)
    }
}
