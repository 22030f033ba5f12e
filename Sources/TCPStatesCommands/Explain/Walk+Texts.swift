internal import SockDiag
internal import TCPDiagnosis

extension Walk {
    /// How a connection is opened.
    static func handshake(_ settings: KernelSettings) -> Walk {
        Walk(
            title: "The three-way handshake: each side sends its first sequence number and has it confirmed",
            steps: [
                Step(
                    client: .closed,
                    server: .listen,
                    segment: nil,
                    isFromClient: false,
                    what: "The server has called bind() and listen(), and waits."
                ),
                Step(
                    client: .synSent,
                    server: .synReceived,
                    segment: "SYN      seq=J",
                    isFromClient: true,
                    what: "connect(): the client's first sequence number is J, chosen so that nobody can guess it."
                ),
                Step(
                    client: .established,
                    server: .synReceived,
                    segment: "SYN+ACK  seq=K  ack=J+1",
                    isFromClient: false,
                    what: """
                        ack=J+1 confirms J: the next byte that the server expects. K is the server's own number. connect() \
                        returns.
                        """
                ),
                Step(
                    client: .established,
                    server: .established,
                    segment: "ACK      seq=J+1  ack=K+1",
                    isFromClient: true,
                    what: "ack=K+1 confirms K. The connection waits in the listener's queue until accept() takes it."
                ),
            ],
            answers: [
                (
                    "ACK and ack: a flag and a number",
                    """
                    ACK is one bit in the header. It says that the field beside it counts: ack, the acknowledgement number, \
                    the next byte that is expected. A SYN takes one number of the sequence, so it is confirmed by J+1.
                    """
                ),
                (
                    "Why three and not two?",
                    """
                    A SYN that was lost and comes late must not open a connection. With two segments, the server would \
                    be open on an old duplicate and wait for a client that knows of nothing. With three, the client gets a \
                    SYN+ACK that confirms a J it does not have, answers with RST, and the server forgets the request. And \
                    each side must know that its own number has arrived: the client learns it from the second segment, \
                    the server from the third.
                    """
                ),
                (
                    "What can go wrong",
                    """
                    The first or the second segment is lost: the client stays in SYN_SENT, up to \
                    \(settings.connectSeconds ?? 131) s. The third is lost, or was never sent: the server stays in SYN_RCVD, up \
                    to \(settings.halfOpenSeconds ?? 63) s, and sends its SYN+ACK again. Thousands of those are a SYN flood.
                    """
                ),
            ],
            settings: [.synRetries, .synAckRetries, .synCookies, .maxSYNBacklog, .somaxconn]
        )
    }

    /// How it is closed.
    static func close(_ settings: KernelSettings) -> Walk {
        Walk(
            title: "The four-way close: each direction ends by itself; here the client closes first",
            steps: [
                Step(
                    client: .established,
                    server: .established,
                    segment: nil,
                    isFromClient: true,
                    what: "U is the client's next sequence number, V the server's."
                ),
                Step(
                    client: .finWait1,
                    server: .closeWait,
                    segment: "FIN+ACK  seq=U  ack=V",
                    isFromClient: true,
                    what: "close() at the client: it has no more to send. The server's program reads 0 bytes: the end."
                ),
                Step(
                    client: .finWait2,
                    server: .closeWait,
                    segment: "ACK      seq=V  ack=U+1",
                    isFromClient: false,
                    what: """
                        The server's kernel confirms at once; a FIN takes one number, as a SYN does. Now all depends on the \
                        server's program: it may send on, and has to call close().
                        """
                ),
                Step(
                    client: .timeWait,
                    server: .lastAck,
                    segment: "FIN+ACK  seq=V  ack=U+1",
                    isFromClient: false,
                    what: "close() at the server."
                ),
                Step(
                    client: .timeWait,
                    server: .closed,
                    segment: "ACK      seq=U+1  ack=V+1",
                    isFromClient: true,
                    what: "The server is done with the last ACK."
                ),
                Step(
                    client: .closed,
                    server: .closed,
                    segment: nil,
                    isFromClient: true,
                    what: "60 s later the client has forgotten it too."
                ),
            ],
            answers: [
                (
                    "Why four?",
                    """
                    A connection is two streams. A FIN ends one of them, and the other may go on: the ACK of the first FIN \
                    is due at once, the second FIN only when that program has finished. Where it has at once, ACK and FIN \
                    travel together, and three segments are enough.
                    """
                ),
                (
                    "Which side is stuck?",
                    """
                    FIN_WAIT_2 and CLOSE_WAIT are the two sides of one connection. In CLOSE_WAIT, the program on this \
                    machine does not call close(). In FIN_WAIT_2, the program at the other end does not.
                    """
                ),
                (
                    "Why TIME_WAIT?",
                    """
                    The last ACK may be lost; then the FIN comes again and somebody must answer it. And late segments of this \
                    connection must not be taken for those of a new one with the same ports. Whoever closes first \
                    keeps it, for 60 s.
                    """
                ),
            ],
            settings: [.finTimeout, .orphanRetries, .maxTimeWait, .timeWaitReuse, .keepaliveTime]
        )
    }
}
