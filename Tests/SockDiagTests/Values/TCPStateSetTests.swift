import Testing

@testable import SockDiag

/// Sets of states: the masks that the kernel is sent, and the groups that people type.
struct TCPStateSetTests {
    @Test func `Every state is the bit of its number`() {
        for (state, number, _, _) in TCPStateTests.spellings {
            #expect(TCPStateSet(state).rawValue == 1 << UInt32(number))
            #expect(TCPStateSet(state).contains(state))
            #expect(!TCPStateSet.all.subtracting(TCPStateSet(state)).contains(state))
        }
        let members: [TCPStateSet] = [
            .established, .synSent, .synReceived, .finWait1, .finWait2, .timeWait, .closed, .closeWait, .lastAck,
            .listen, .closing, .bound,
        ]
        #expect(members.map(\.rawValue) == [2, 4, 8 | 4096, 16, 32, 64, 128, 256, 512, 1024, 2048, 8192])
        var union: TCPStateSet = []
        for member in members { union.formUnion(member) }
        #expect(union == .all)
    }

    @Test func `A state that no mask can hold is in no set`() {
        for number in UInt8(32)...255 {
            #expect(TCPStateSet(TCPState(rawValue: number)).isEmpty)
            #expect(!TCPStateSet(rawValue: .max).contains(TCPState(rawValue: number)))
        }
        #expect(TCPStateSet(TCPState(rawValue: 31)).rawValue == 0x8000_0000)
    }

    /// The groups as `ss` and the project's interface define them, by the names of their states.
    @Test(arguments: [
        (
            TCPStateSet.all, "all",
            "BOUND,LISTEN,SYN_SENT,SYN_RCVD,ESTABLISHED,FIN_WAIT_1,FIN_WAIT_2,CLOSE_WAIT,CLOSING,LAST_ACK,TIME_WAIT,CLOSED"
        ),
        (
            .connected, "connected",
            "SYN_SENT,SYN_RCVD,ESTABLISHED,FIN_WAIT_1,FIN_WAIT_2,CLOSE_WAIT,CLOSING,LAST_ACK,TIME_WAIT"
        ),
        (
            .synchronized, "synchronized",
            "SYN_RCVD,ESTABLISHED,FIN_WAIT_1,FIN_WAIT_2,CLOSE_WAIT,CLOSING,LAST_ACK,TIME_WAIT"
        ),
        (.bucket, "bucket", "SYN_RCVD,TIME_WAIT"),
        (.finWait, "fin-wait", "FIN_WAIT_1,FIN_WAIT_2"),
        (.closingStates, "closing-states", "FIN_WAIT_1,FIN_WAIT_2,CLOSE_WAIT,CLOSING,LAST_ACK,TIME_WAIT"),
    ]) func everyGroupHasItsStatesAndItsName(group: TCPStateSet, name: String, states: String) {
        #expect(group.description == states)
        #expect(TCPStateSet(name) == group)
        #expect(TCPStateSet(name.uppercased()) == group)
        #expect(TCPStateSet(String(name.map { $0 == "-" ? "_" : $0 })) == group)
    }

    @Test func `The big ones are all but the small entries`() {
        #expect(TCPStateSet("big") == .all.subtracting(.bucket))
    }

    @Test func `A state's name is a set and a half-open one is both of the kernel's numbers`() {
        for (state, _, name, others) in TCPStateTests.spellings {
            for spelling in [name] + others { #expect(TCPStateSet(spelling)?.contains(state) == true, "\(spelling)") }
        }
        #expect(TCPStateSet("syn-recv") == .synReceived)
        #expect(TCPStateSet("STATE_14")?.rawValue == 1 << 14)
    }

    @Test(arguments: [
        "", ",", "LISTEN,", ",LISTEN", "LISTEN,,CLOSED", "LISTEN CLOSED", "none", "STATE_32", "LISTEN,nothing",
    ])
    func `What is no set is refused`(text: String) {
        #expect(TCPStateSet(text) == nil)
    }

    @Test func `Every set survives being printed and read again`() {
        #expect(TCPStateSet("LISTEN,close-wait") == [.listen, .closeWait])
        for bit in 0..<UInt32(32) where bit != 3 && bit != 12 {
            let set = TCPStateSet(rawValue: 1 << bit).union(.timeWait).union(.synReceived)
            #expect(TCPStateSet(set.description) == set, "\(set)")
        }
    }
}
