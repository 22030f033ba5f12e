internal import SockDiag
internal import TCPDiagnosis

extension StateGuide {
    static func finWait1(_ settings: KernelSettings) -> StateGuide {
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

    static func finWait2(_ settings: KernelSettings) -> StateGuide {
        StateGuide(
            who: "The side that closed first.",
            waitsFor: "The PEER's program: it has to call close(). Over there the connection is in CLOSE_WAIT.",
            lasts: """
                Where no program here holds it any more, \(settings[.finTimeout] ?? 60) s. Where one does, which has called \
                shutdown() and waits for the rest, for ever.
                """,
            settings: [.finTimeout, .maxOrphans],
            many: "The other side is stuck: a program over there does not close, or has crashed behind a firewall.",
            remedy: "Look at the peer, for CLOSE_WAIT. Here, close() instead of shutdown() lets the timer run.",
            command: "tcpstates -p --state fin-wait-2"
        )
    }

    static let closeWait = StateGuide(
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

    static func closing(_ settings: KernelSettings) -> StateGuide {
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

    static func lastAck(_ settings: KernelSettings) -> StateGuide {
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

    static let timeWait = StateGuide(
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

    static let closed = StateGuide(
        who: "Nobody: no connection yet, or none any more. A row shows a descriptor that is still open.",
        waitsFor: "The program HERE: connect(), listen() or close().",
        lasts: "As long as the program holds the descriptor.",
        settings: [],
        many: "A program that keeps sockets after they were reset or timed out.",
        remedy: "See which program it is.",
        command: "tcpstates -p --state closed"
    )

    /// 0 stands for 8 (`tcp_orphan_retries()`).
    private static func orphanRetries(_ settings: KernelSettings) -> Int {
        let retries = settings[.orphanRetries] ?? 0
        return retries == 0 ? 8 : retries
    }
}
