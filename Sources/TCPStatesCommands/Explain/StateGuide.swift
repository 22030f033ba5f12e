internal import SockDiag
internal import TCPDiagnosis

/// What a person who meets a state has to know beyond its meaning.
struct StateGuide {
    /// Who is in it.
    let who: String
    /// Who has to do something for it to end, and what.
    let waitsFor: String
    /// How long it lasts.
    let lasts: String
    /// What bounds it.
    let settings: [KernelSetting]
    /// What it means where there are many.
    let many: String
    /// What to do then.
    let remedy: String
    /// What to type.
    let command: String
}

extension StateGuide {
    /// The guide to a state; nil for one that this version does not know.
    static func guide(to state: TCPState, _ settings: KernelSettings) -> StateGuide? {
        switch state {
        case .bound: bound
        case .listen: listen
        case .synSent: synSent(settings)
        case .synReceived: synReceived(settings)
        case .established: established(settings)
        case .finWait1: finWait1(settings)
        case .finWait2: finWait2(settings)
        case .closeWait: closeWait
        case .closing: closing(settings)
        case .lastAck: lastAck(settings)
        case .timeWait: timeWait
        case .closed: closed
        default: nil
        }
    }

    private static let bound = StateGuide(
        who: "A program that has chosen a port and neither listens nor connects.",
        waitsFor: "The program HERE: listen(), connect() or close().",
        lasts: "As long as the program holds it.",
        settings: [],
        many: "A program that makes sockets and forgets them.",
        remedy: "See which program it is.",
        command: "tcpstates -p --state bound"
    )

    private static let listen = StateGuide(
        who: "The server. A connection that comes in gets a socket of its own; the listener stays in LISTEN.",
        waitsFor: "Clients; and the program, to call accept() for those that have come.",
        lasts: "As long as the program holds it.",
        settings: [.somaxconn, .maxSYNBacklog, .synCookies],
        many: """
            Only that there are many services. RECV-Q is what waits for accept() and SEND-Q the limit, the smaller one \
            of the program's backlog and somaxconn: at the limit, clients wait or fail.
            """,
        remedy: "A full queue means that the program does not call accept() fast enough.",
        command: "tcpstates -p --state listen"
    )

    private static func synSent(_ settings: KernelSettings) -> StateGuide {
        StateGuide(
            who: "The side that opened: the client.",
            waitsFor: "The PEER's kernel: its SYN+ACK, or a RST.",
            lasts: """
                As long as one round trip where all is well. Unanswered, the SYN is sent again after 1 s, then less and \
                less often, and given up after \(settings.connectSeconds.inWords).
                """,
            settings: [.synRetries, .synLinearTimeouts],
            many: """
                To one destination: it is down, a firewall drops the SYNs, or its queues are full. (Where nothing listens, \
                a RST comes at once.) To many: a scan, or no way out of here.
                """,
            remedy: "See where they go to. A timeout of its own in the program spares it the long wait.",
            command: "tcpstates -po --state syn-sent"
        )
    }

    private static func synReceived(_ settings: KernelSettings) -> StateGuide {
        StateGuide(
            who: """
                The side that was called: the server. No program knows of it yet; the kernel holds a small request for it.
                """,
            waitsFor: "The CLIENT: its ACK, the last of the handshake's three segments.",
            lasts: """
                As long as one round trip where all is well. Unanswered, the SYN+ACK is sent again after 1, 2, 4 … s, \
                and the request given up after \(settings.halfOpenSeconds.inWords); earlier where the queue is half full.
                """,
            settings: [.synAckRetries, .synCookies, .maxSYNBacklog, .somaxconn],
            many: """
                Clients that never finish: a SYN flood, most often with forged addresses, or a path on which the answers \
                are lost. As many as the listener's backlog, and new clients are refused, unless SYN cookies answer them.
                """,
            remedy: "Keep SYN cookies on, give the listener a larger backlog, and see what is found.",
            command: "tcpstates doctor"
        )
    }

    private static func established(_ settings: KernelSettings) -> StateGuide {
        StateGuide(
            who: "Both sides, each with a socket of its own.",
            waitsFor: "Nobody: data can flow both ways. It ends when one side closes.",
            lasts: """
                For ever, also in silence; a peer that vanished is noticed only when something is sent to it. What is not \
                acknowledged is sent again, \(settings[.retries2].map { "\($0) times, " } ?? "")about a quarter of \
                an hour by default. With SO_KEEPALIVE, silence is probed.
                """,
            settings: [.retries2, .keepaliveTime],
            many: "A busy machine. Where they are many more than usual: clients or pools that do not let go.",
            remedy: "See who is connected, and how often.",
            command: "tcpstates summary --by peer --state established"
        )
    }

    private static func finWait1(_ settings: KernelSettings) -> StateGuide {
        StateGuide(
            who: "The side that closed first.",
            waitsFor: "The PEER's kernel: the ACK of the FIN, and of the data before it.",
            lasts: """
                As long as one round trip where all is well. Where no program holds the socket any more, it is given up \
                after \(orphanRetries(settings)) retransmissions.
                """,
            settings: [.orphanRetries, .maxOrphans],
            many: "The peers have vanished, or read nothing: the FIN stands behind data that they do not take.",
            remedy: "See what is in SEND-Q, and whose peers they are.",
            command: "tcpstates -o --state fin-wait-1"
        )
    }

    private static func finWait2(_ settings: KernelSettings) -> StateGuide {
        StateGuide(
            who: "The side that closed first.",
            waitsFor: "The PEER's program: it has to call close(). Over there the connection is in CLOSE_WAIT.",
            lasts: """
                Where no program here holds it any more, \(settings[.finTimeout] ?? 60) s. Where one does, which has called \
                shutdown() and waits for the rest, for ever.
                """,
            settings: [.finTimeout, .maxOrphans],
            many: "The other side is stuck: a program over there does not close, or has crashed behind a firewall.",
            remedy: "See what is in CLOSE_WAIT at the peer. Here, close() instead of shutdown() lets the timer run.",
            command: "tcpstates -p --state fin-wait-2"
        )
    }

    private static let closeWait = StateGuide(
        who: "The side that closes second: the peer has closed already.",
        waitsFor: "The program HERE: it has to call close(). Over there it is FIN_WAIT_2, or is forgotten.",
        lasts: "For ever: no timer and no setting ends it, unless SO_KEEPALIVE finds that the peer is gone.",
        settings: [.keepaliveTime],
        many: """
            A bug in the program here: it does not notice the end (a read of 0 bytes), or forgets to close. Each holds a \
            descriptor, until there are none left.
            """,
        remedy: "See which program it is. A restart closes them all; for good, only a correction of it helps.",
        command: "tcpstates -pi --state close-wait"
    )

    private static func closing(_ settings: KernelSettings) -> StateGuide {
        StateGuide(
            who: "Both sides: each closed before it saw the other's FIN.",
            waitsFor: "The PEER's kernel: the ACK of this side's FIN.",
            lasts: "As long as one round trip; else it is given up after \(orphanRetries(settings)) retransmissions.",
            settings: [.orphanRetries],
            many: "Seldom seen. Segments are lost on the path.",
            remedy: "See whose peers they are.",
            command: "tcpstates -o --state closing"
        )
    }

    private static func lastAck(_ settings: KernelSettings) -> StateGuide {
        StateGuide(
            who: "The side that closed second, after its close().",
            waitsFor: "The PEER's kernel: the ACK of this side's FIN, the last of the four segments.",
            lasts: "As long as one round trip; else it is given up after \(orphanRetries(settings)) retransmissions.",
            settings: [.orphanRetries],
            many: "The peers have vanished, or a firewall has forgotten the connections and drops the last segments.",
            remedy: "See whose peers they are.",
            command: "tcpstates -o --state last-ack"
        )
    }

    private static let timeWait = StateGuide(
        who: "The side that closed first, after both have closed. No program holds it any more.",
        waitsFor: "The clock, and nobody else.",
        lasts: """
            60 s, fixed in the kernel: so that late segments cannot get into a new connection between the same ports, and \
            so that the last ACK can be repeated.
            """,
        settings: [.timeWaitReuse, .maxTimeWait, .localPortRange],
        many: """
            Many short connections that this side closes first. Harmless on a server. On a client each keeps a port from \
            being used again to the same destination.
            """,
        remedy: "Keep connections open and use them again; let the other side close first; or see tcp_tw_reuse.",
        command: "tcpstates summary --by peer --state time-wait"
    )

    private static let closed = StateGuide(
        who: "Nobody: no connection yet, or none any more. A row shows a descriptor that is still open.",
        waitsFor: "The program HERE: connect(), listen() or close().",
        lasts: "As long as the program holds the descriptor.",
        settings: [],
        many:
            "A program that makes sockets and does not use them, or keeps them after they were refused, reset or timed out.",
        remedy: """
            See which program it is. The kernel's dump lists only a socket that was bound to a port and has it still \
            (kernel 6.8). One that was never bound, or whose port was the kernel's choice and whose connection was \
            refused, reset or let go, is in no dump, not in ss, and not in /proc/net/tcp: where CLOSED is asked for, such \
            are found by the descriptors of the processes that may be read.
            """,
        command: "tcpstates -p --state closed"
    )

    /// 0 stands for 8 (`tcp_orphan_retries()`).
    private static func orphanRetries(_ settings: KernelSettings) -> Int {
        let retries = settings[.orphanRetries] ?? 0
        return retries == 0 ? 8 : retries
    }
}

extension Int? {
    /// `63 s`.
    fileprivate var inWords: String { map { "\($0) s" } ?? "a minute or two" }
}
