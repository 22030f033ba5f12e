internal import SockDiag
internal import TCPWatch

extension TCPStep {
    /// What takes a connection along the step, for the arrow in a figure: what happens, and what is sent then.
    var label: String { triggers.first.map(label(of:)) ?? "" }

    private func label(of trigger: Trigger) -> String {
        switch trigger {
        case .bind: "bind()"
        case .listen: "listen()"
        case .connect: "connect() / SYN"
        case .close: from == .bound || from == .listen || from == .synSent ? "close()" : "close() / FIN"
        case .abort: "abort / RST"
        case .receiveSYN: "SYN / SYN+ACK"
        case .receiveSYNACK: "SYN+ACK / ACK"
        case .receiveACK: "ACK"
        case .receiveFIN: "FIN / ACK"
        case .receiveFINACK: "FIN+ACK / ACK"
        case .receiveRST: "RST"
        case .unreachable: "ICMP"
        case .noPort: "connect() / nothing"
        case .listenerClosed: "close() of the listener / RST"
        case .timeout: "timeout"
        case .timeWaitTimeout: "60 s"
        case .reuse: "new SYN"
        }
    }

    /// What happens, a sentence for each cause. J is the first sequence number of the side that opens, K the other's.
    var causes: [String] { triggers.map(cause) }

    private func cause(_ trigger: Trigger) -> String {
        switch (trigger, from) {
        case (.bind, _): "The program calls bind()."
        case (.listen, _): "The program calls listen()."
        case (.connect, _): "The program calls connect(): a SYN goes out with this side's first sequence number, J."
        case (.close, .bound), (.close, .listen), (.close, .synSent): "The program calls close()."
        case (.close, _): "The program calls close() or shutdown(): a FIN goes out."
        case (.abort, _):
            "The program ends it at once, by close() with data unread or with SO_LINGER 0: a RST goes out."
        case (.receiveSYN, .synSent):
            "A SYN without ACK comes: both sides opened at once. It is answered with SYN+ACK."
        case (.receiveSYN, _):
            "A SYN with seq = J comes to a listener. The kernel answers with SYN+ACK, seq = K and ack = J+1."
        case (.receiveSYNACK, _):
            "The SYN+ACK comes with ack = J+1: the peer has confirmed J. It is answered with an ACK, ack = K+1."
        case (.receiveACK, .synReceived): "The ACK comes with ack = K+1: the client has confirmed K."
        case (.receiveACK, _): "The ACK of this side's FIN comes."
        case (.receiveFIN, .finWait1):
            "The peer's FIN comes before the ACK of this side's: both closed at once. It is answered with an ACK."
        case (.receiveFIN, _): "The peer's FIN comes: it has closed. The kernel answers with an ACK."
        case (.receiveFINACK, _): "A FIN comes that acknowledges this side's too. It is answered with an ACK."
        case (.receiveRST, .synSent): "A RST comes: nothing listens there, connection refused."
        case (.receiveRST, _): "A RST comes: the peer, or something on the path, ends it at once."
        case (.unreachable, _): "ICMP says that the peer cannot be reached: the network, or a firewall, here or there."
        case (.noPort, _): "connect() finds no port left (EADDRNOTAVAIL): nothing is sent."
        case (.listenerClosed, _): "It waits to be accepted, and the program closes the listener: a RST goes out."
        case (.timeout, .synSent): "No answer: the SYN is given up after tcp_syn_retries (connection timed out)."
        case (.timeout, .synReceived): "No final ACK: the SYN+ACK is given up after tcp_synack_retries."
        case (.timeout, .finWait2):
            "No program holds it any more and the peer does not close: tcp_fin_timeout has passed."
        case (.timeout, _): "What was sent is not acknowledged: retransmission is given up."
        case (.timeWaitTimeout, _): "60 seconds have passed."
        case (.reuse, _):
            "A new SYN with a higher sequence number, or a connect() where tcp_tw_reuse allows it, takes its place."
        }
    }
}
