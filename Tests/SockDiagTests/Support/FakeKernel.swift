import Glibc
import Synchronization

@testable import SockDiag

/// The other end of a client's socket: answers each request with the datagrams that a test makes of it.
///
/// A pair of `SOCK_SEQPACKET` sockets keeps datagrams apart as netlink does, returns their true length with `MSG_TRUNC`,
/// and ignores the address that is sent to. A sender without a name has the address 0, which is the kernel's.
final class FakeKernel: Sendable {
    private let kernel: Int32
    /// The client's end of the pair; the client closes it.
    let descriptor: Int32
    private let log = Mutex<[Request]>([])

    /// Starts a thread that answers until the client is gone.
    init(_ answer: @escaping @Sendable (Request) -> [[UInt8]]) throws {
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &pair) == 0 else {
            throw SystemError("socketpair")
        }
        (kernel, descriptor) = (pair[0], pair[1])
        try detachThread { self.serve(answer) }
    }

    deinit { close(kernel) }

    /// What the client asked for until now.
    var requests: [Request] { log.withLock { $0 } }

    /// The client at the other end; to be asked for once.
    func makeClient() throws -> SockDiagClient { SockDiagClient(try NetlinkSocket(adopting: descriptor)) }

    /// Sends datagrams before they are asked for.
    func queue(_ datagrams: [[UInt8]]) throws {
        for datagram in datagrams {
            let count = send(kernel, datagram, datagram.count, Int32(MSG_NOSIGNAL))
            guard count == datagram.count else { throw SystemError("send") }
        }
    }

    private func serve(_ answer: (Request) -> [[UInt8]]) {
        var buffer = [UInt8](repeating: 0, count: 512)
        while true {
            let count = recv(kernel, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            let request = Request(bytes: Array(buffer[..<count]))
            log.withLock { $0.append(request) }
            try? queue(answer(request))
        }
    }

    /// A request as the bytes that the client sent.
    struct Request {
        var bytes: [UInt8]
        /// `nlmsg_type`
        var type: UInt16 { UInt16(bytes[4]) | UInt16(bytes[5]) << 8 }
        /// `nlmsg_seq`
        var sequence: UInt32 { bytes[8..<12].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
        /// `sdiag_family` of `struct inet_diag_req_v2`
        var family: UInt8 { bytes[16] }
        /// `idiag_states` of `struct inet_diag_req_v2`
        var states: UInt32 { bytes[20..<24].reversed().reduce(0) { $0 << 8 | UInt32($1) } }

        /// A socket in answer to this request.
        func socket(_ payload: [UInt8], flags: UInt16 = Datagram.multi) -> [UInt8] {
            Datagram.message(type, flags: flags, sequence: sequence, payload)
        }

        /// The end of the answer to this request.
        func end(_ code: Int32 = 0, flags: UInt16 = Datagram.multi) -> [UInt8] {
            Datagram.end(code, flags: flags, sequence: sequence)
        }

        /// A refusal of this request.
        func failure(_ code: Int32) -> [UInt8] { Datagram.failure(code, sequence: sequence) }
    }
}
