internal import BPF
internal import SockDiag

/// How each listing begins: it takes what the tracepoint passes, in the memory that r1 points to, and leaves where there
/// is nothing to report.
extension Listing {
    func begin() throws(KernelError) -> [Instruction] {
        switch event {
        case .transition: beginTransition
        case .requestRetransmitted: try beginRequest()
        case .retransmitted: try beginSocket() + (filter.reportsRetransmissions ? [] : unlessInSYNSent)
        case .resetReceived: try beginSocket() + unlessInSYNSent
        case .resetSent: try beginReset()
        case .destroyed: try beginSocket() + unlessUnheld()
        }
    }

    /// `inet_sock_set_state(const struct sock *sk, const int oldstate, const int newstate)`
    private var beginTransition: [Instruction] {
        [
            .load(.r6, .u64, from: .r1, 0),  // r6 = sk
            .load(.r7, .u64, from: .r1, 8),  // r7 = oldstate
            .load(.r8, .u64, from: .r1, 16),  // r8 = newstate
            // close() after shutdown() sets the state once more.
            .move(.r2, .r7),
            .combine(.r2, .subtract, .r8),
            .jumpIf32(.r2, .equal, 0, "out"),
            // A listener's child that is being made has neither cookie nor peer yet: its next transition is reported.
            .jumpIf32(.r7, .notEqual, TCPState.listen.number, "whole"),
            .jumpIf32(.r8, .equal, TCPState.synReceived.number, "out"),
            .label("whole"),
        ] + tcpSocket
    }

    /// `tcp_retransmit_synack(const struct sock *sk, const struct request_sock *req)`
    ///
    /// With Fast Open, `sk` is the connection that the request has become, which has a name of its own.
    private func beginRequest() throws(KernelError) -> [Instruction] {
        [
            .load(.r2, .u64, from: .r1, 0),  // if (sk->sk_state != TCP_LISTEN) goto out
            .load(.r2, .u8, from: .r2, try member("__sk_common.skc_state", of: "sock").offset),
            .jumpIf32(.r2, .notEqual, TCPState.listen.number, "out"),
            .load(.r6, .u64, from: .r1, 8),  // r6 = req
            .set(.r7, TCPState.synReceived.number),  // r7 = SYN_RCVD
        ]
    }

    /// `tcp_retransmit_skb(const struct sock *sk, const struct sk_buff *skb, …)`, `tcp_receive_reset(struct sock *sk)`,
    /// `tcp_destroy_sock(struct sock *sk)`
    private func beginSocket() throws(KernelError) -> [Instruction] {
        try [.load(.r6, .u64, from: .r1, 0)] + tcpSocket + state()  // r6 = sk
    }

    /// `tcp_send_reset(const struct sock *sk, const struct sk_buff *skb, const enum sk_rst_reason reason)`: the reason
    /// since 6.10. There is no socket where a segment came to none, and no full one in TIME_WAIT.
    private func beginReset() throws(KernelError) -> [Instruction] {
        try [
            .load(.r6, .u64, from: .r1, 0),  // r6 = sk
            .load(.r8, .u64, from: .r1, 16),  // r8 = reason
            .jumpIf(.r6, .equal, 0, "out"),  // if (!sk) goto out
        ] + tcpSocket + state()
    }

    /// Other resets show in the transitions, and what else is sent once more changes no state.
    private var unlessInSYNSent: [Instruction] {
        [.jumpIf32(.r7, .notEqual, TCPState.synSent.number, "out")]  // if (state != TCP_SYN_SENT) goto out
    }

    /// The end of a socket that nobody held any more is its last transition, mostly in an interrupt; of one that has no name
    /// yet nothing was ever reported.
    private func unlessUnheld() -> [Instruction] {
        var listing: [Instruction] = []
        if let cookie = types.member("tcp_sock", "\(common).skc_cookie.counter") {
            listing += [
                .load(.r1, .u64, from: .r6, cookie.offset),  // if (!sk->sk_cookie) goto out
                .jumpIf(.r1, .equal, 0, "out"),
            ]
        }
        if let owned = lockOwned {
            listing += [
                .load(.r1, .u32, from: .r6, owned.offset),  // if (!sk->sk_lock.owned) goto out
                .jumpIf32(.r1, .equal, 0, "out"),
            ]
        }
        return listing
    }

    /// r6 = the `struct tcp_sock` of the socket r6. One of another protocol than TCP has none.
    private var tcpSocket: [Instruction] {
        [
            .move(.r1, .r6),  // r0 = skc_to_tcp_sock(sk)
            .call(.skc_to_tcp_sock),
            .jumpIf(.r0, .equal, 0, "out"),  // if (!r0) goto out
            .move(.r6, .r0),  // r6 = tp
        ]
    }

    /// r7 = the state of the socket r6.
    private func state() throws(KernelError) -> [Instruction] {
        [.load(.r7, .u8, from: .r6, try member("\(common).skc_state", of: "tcp_sock").offset)]
    }
}

extension TraceRecord.Event {
    /// The name of the tracepoint.
    var tracepoint: String {
        switch self {
        case .transition: "inet_sock_set_state"
        case .requestRetransmitted: "tcp_retransmit_synack"
        case .retransmitted: "tcp_retransmit_skb"
        case .resetReceived: "tcp_receive_reset"
        case .resetSent: "tcp_send_reset"
        case .destroyed: "tcp_destroy_sock"
        }
    }

    /// What a program for the tracepoint names it by: a typedef of the kernel's.
    var typeName: String { "btf_trace_\(tracepoint)" }
}
