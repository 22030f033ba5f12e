import Testing

@testable import SockDiag

/// The states' numbers, and their names in every spelling that people type.
struct TCPStateTests {
    /// `include/net/tcp_states.h`; the spellings of RFC 9293, `ss`, `netstat` and of the kernel.
    static let spellings: [(TCPState, UInt8, String, [String])] = [
        (.established, 1, "ESTABLISHED", ["ESTAB", "established"]),
        (.synSent, 2, "SYN_SENT", ["SYN-SENT", "syn-sent", "synsent"]),
        (.synReceived, 3, "SYN_RCVD", ["SYN-RECEIVED", "SYN-RECV", "syn-recv", "SYN_RECV", "synreceived", "SynRcvd"]),
        (.finWait1, 4, "FIN_WAIT_1", ["FIN-WAIT-1", "fin-wait-1", "FIN_WAIT1", "finwait1"]),
        (.finWait2, 5, "FIN_WAIT_2", ["FIN-WAIT-2", "fin-wait-2", "FIN_WAIT2", "finwait2"]),
        (.timeWait, 6, "TIME_WAIT", ["TIME-WAIT", "time-wait", "timewait"]),
        (.closed, 7, "CLOSED", ["CLOSE", "closed", "UNCONN", "unconn", "unconnected"]),
        (.closeWait, 8, "CLOSE_WAIT", ["CLOSE-WAIT", "close-wait", "closewait"]),
        (.lastAck, 9, "LAST_ACK", ["LAST-ACK", "last-ack", "lastack"]),
        (.listen, 10, "LISTEN", ["listen", "listening", "LISTENING"]),
        (.closing, 11, "CLOSING", ["closing", "Closing"]),
        (.bound, 13, "BOUND", ["bound", "bound-inactive", "BOUND_INACTIVE"]),
    ]

    @Test(arguments: spellings)
    func `Every spelling of a state is read and one printed`(
        state: TCPState,
        number: UInt8,
        name: String,
        others: [String]
    ) {
        #expect(state.rawValue == number)
        #expect(state.description == name)
        for spelling in [name] + others { #expect(TCPState(spelling) == state, "\(spelling)") }
    }

    @Test func `The half-open request of tracepoints has the name of its state`() {
        #expect(TCPState.newSynReceived.rawValue == 12)
        #expect(TCPState.newSynReceived.description == "SYN_RCVD")
    }

    @Test func `Every number survives being printed and read again`() {
        for number in UInt8.min...UInt8.max where number != 12 {
            let state = TCPState(rawValue: number)
            #expect(TCPState(state.description) == state)
            #expect(TCPState("STATE_\(number)") == state)
        }
        #expect(TCPState(rawValue: 14).description == "STATE_14")
        #expect(TCPState("state-255")?.rawValue == 255)
    }

    @Test(arguments: [
        "", " ", "-", "_", "ESTABLISHED ", " LISTEN", "LISTEN,CLOSED", "listener", "STATE", "STATE_", "STATE_256",

        "STATE_+1", "STATE_1a", "STATE_1 ", "1", "fin-wait", "fin-wait-3", "all", "connected", "ESTABLISHED\0",

    ]) func whatIsNoStateIsRefused(text: String) {
        #expect(TCPState(text) == nil)
    }

    @Test func `The list of all has every state once in the order of a life`() {
        #expect(TCPState.allCases.count == 12)
        #expect(Set(TCPState.allCases) == Set(Self.spellings.map(\.0)))
        #expect(TCPState.allCases.first == .bound && TCPState.allCases.last == .closed)
    }

    @Test func `Every state is explained in words of its own`() {
        let meanings = TCPState.allCases.map(\.meaning)
        #expect(Set(meanings).count == meanings.count)
        for meaning in meanings { #expect(meaning.hasSuffix(".") && !meaning.contains("\n")) }
        #expect(TCPState.newSynReceived.meaning == TCPState.synReceived.meaning)
        #expect(!meanings.contains(TCPState(rawValue: 14).meaning))
    }
}
