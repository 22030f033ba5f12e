import BPF
import TCPWatch
import Testing

@testable import TCPStatesCommands

@Suite struct CommandRemedyTests {
    @Test func `What a library says of capabilities is completed by how this program gets them`() {
        let words = "tracing needs CAP_BPF and CAP_PERFMON: \(BPFSupport.Requirement.remedyForPrivilege)"
        let completed = "tracing needs CAP_BPF and CAP_PERFMON: run as root, or install with: make install CAPS=1"
        #expect(words.withCommands == completed)
    }

    @Test func `What it says of a file that is no journal is completed by how one is made`() {
        let words = "cannot replay the journal x: it is no journal of tcpstates; \(JournalReplay.remedyForOtherFiles)"
        #expect(words.withCommands.hasSuffix("; a journal is made by tcpstates watch --journal FILE"))
    }

    @Test func `Any other message stays as it is`() {
        for message in ["", "cannot dump the TCP sockets", "run as root"] { #expect(message.withCommands == message) }
    }
}
