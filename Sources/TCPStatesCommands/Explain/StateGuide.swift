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
}

extension Int? {
    /// `63 s`.
    fileprivate var inWords: String { map { "\($0) s" } ?? "a minute or two" }
}
