import Foundation
import SockDiag
import TCPDiagnosis
import TCPRecords
import TCPStateLab
import TCPWatch
import Testing

@testable import TCPStatesCommands

/// The guide shows what the kernel does: its captures are made again, its figures drawn again.
@Suite struct GuideTests {
    private let guide: String

    init() throws {
        guide = try String(contentsOf: repository.appending(path: "docs/tcp-life-cycle.md"), encoding: .utf8)
    }

    /// The capture in the code block after a marker.
    private func capture(_ name: String) throws -> Capture {
        let marker = try #require(guide.range(of: "<!-- capture: \(name) -->"))
        let rest = guide[marker.upperBound...]
        let block = try #require(
            rest.split(separator: "```", maxSplits: 2, omittingEmptySubsequences: false).dropFirst().first
        )
        return Capture(block)
    }

    private func compare(_ made: Capture, _ name: String) throws {
        let shown = try capture(name)
        #expect(!shown.lines.isEmpty)
        #expect(shown.relative == made.relative, "\(name): the kernel does this now:\n\(made)")
    }

    /// The state of the kernel's end, nil where it has none.
    private func state(_ lab: Lab, _ peer: Peer) throws -> TCPState? {
        try lab.procNetTCP().first { $0.remote == peer.endpoint }?.state
    }

    @Test func `The kernel as a server is opened and closed as shown`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener(port: 8080)
        let peer = try lab.peer(of: listener)
        var made = Capture()
        made.add(try peer.send(.syn), isFromPeer: true, try state(lab, peer))
        made.add(try peer.receive(.synAck), isFromPeer: false, try state(lab, peer))
        made.add(try peer.send(.ack), isFromPeer: true, try state(lab, peer))
        let server = try lab.accepted(from: listener, by: peer)
        made.add(try peer.send(.fin), isFromPeer: true, try state(lab, peer))
        made.add(try peer.receive(.ack), isFromPeer: false, try state(lab, peer))
        server.close()
        made.add(try peer.receive(.fin), isFromPeer: false, try state(lab, peer))
        made.add(try peer.send(.ack), isFromPeer: true, try state(lab, peer) ?? .closed)
        try compare(made, "server")
    }

    @Test func `The kernel as a client opens and closes as shown`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        var made = Capture()
        let client = try lab.client(in: .synSent)
        // The first was read by the laboratory; the second is the same.
        made.add(try client.peer.receive(.syn), isFromPeer: false, try state(lab, client.peer))
        made.add(try client.peer.send(.synAck), isFromPeer: true, try state(lab, client.peer))
        made.add(try client.peer.receive(.ack), isFromPeer: false, try state(lab, client.peer))
        try client.shutDown()
        made.add(try client.peer.receive(.fin), isFromPeer: false, try state(lab, client.peer))
        made.add(try client.peer.send(.ack), isFromPeer: true, try state(lab, client.peer))
        made.add(try client.peer.send(.fin), isFromPeer: true, try state(lab, client.peer))
        made.add(try client.peer.receive(.ack), isFromPeer: false, try state(lab, client.peer))
        try compare(made, "client")
    }

    @Test func `A SYN cookie keeps nothing, and lets the client in, as shown`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        try lab.sysctl("net.ipv4.tcp_syncookies", 2)
        let peer = try lab.peer(of: try lab.listener(port: 8080))
        var made = Capture()
        made.add(try peer.send(.syn), isFromPeer: true, try state(lab, peer))
        made.add(try peer.receive(.synAck), isFromPeer: false, try state(lab, peer))
        made.add(try peer.send(.ack), isFromPeer: true, try state(lab, peer))
        try compare(made, "cookie")
    }

    @Test func `A late SYN of an old connection opens nothing, as shown`() throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let peer = try lab.peer(of: try lab.listener(port: 8080))
        var made = Capture()
        made.add(try peer.send(.syn), isFromPeer: true, try state(lab, peer))
        made.add(try peer.receive(.synAck), isFromPeer: false, try state(lab, peer))
        // The client knows of no connection, and says so.
        made.add(try peer.send(Cue(.rst)), isFromPeer: true, try state(lab, peer))
        try compare(made, "late")
    }

    @Test(arguments: [Topic.Walks.handshake, .close])
    func theGuideHasTheToolsSequenceDiagrams(_ topic: Topic.Walks) {
        var text = TextBuffer()
        topic.text(.none).appendMermaid(to: &text)
        #expect(guide.contains("```mermaid\n\(text.string)```"))
    }

    @Test func theFigureHasTheMachinesSteps() throws {
        #expect(guide.contains("(figures/tcp-states.svg)"))
        let figure = repository.appending(path: "docs/figures/tcp-states.svg")
        let svg = try String(contentsOf: figure, encoding: .utf8)
        let edges = svg.components(separatedBy: "<title>").dropFirst().compactMap { part -> String? in
            let title = part.components(separatedBy: "</title>")[0]
            return title.contains("&gt;")
                ? title.replacing("&#45;&gt;", with: ">").replacing("END", with: "CLOSED") : nil
        }
        #expect(Set(edges) == Set(DiagramSource.steps.map { "\($0.origin)>\($0.to)" }))
    }

    @Test func everyStateIsInTheGuide() {
        for state in TCPState.allCases where state != .bound { #expect(guide.contains("`\(state)`"), "\(state)") }
    }
}
