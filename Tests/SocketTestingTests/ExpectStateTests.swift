import Glibc
import SockDiag
import TCPStateLab
import Testing

@testable import SocketTesting

@Suite struct ExpectStateTests {
    private func failure(_ states: TCPStateSet, _ port: UInt16, within limit: Duration) async throws -> String? {
        try await StateExpectation(states: states, filter: .localPort == port, limit: limit).failure()
    }

    @Test func `A state that is there already is reached at once`() async throws {
        let listener = try TestSocket.listener()
        try await expectState(.listen, of: .localPort == listener.port)
    }

    @Test func `A state that comes later is reached when it comes`() async throws {
        let listener = try TestSocket.listener()
        let client = try TestSocket.client(of: listener.port)
        let accepted = try listener.accepted()
        let port = listener.port
        async let waited = failure(.closeWait, port, within: .seconds(60))
        try await expectState(.established, of: .localPort == client.port)
        shutdown(client.descriptor, Int32(SHUT_WR))
        #expect(try await waited == nil)
        withExtendedLifetime(accepted) {}
    }

    @Test func `The end of a connection is a state too`() async throws {
        let listener = try TestSocket.listener()
        var client: TestSocket? = try TestSocket.client(of: listener.port)
        var accepted: TestSocket? = try listener.accepted()
        let port = try #require(client).port
        async let waited = failure([.timeWait, .closed], port, within: .seconds(300))
        try await expectState(.established, of: .localPort == port)
        client = nil
        accepted = nil
        let failure = try await waited
        #expect(failure == nil && client == nil && accepted == nil)
    }

    @Test func `What was seen instead is reported when the time is up`() async throws {
        let listener = try TestSocket.listener()
        let text = try #require(try await failure(.closeWait, listener.port, within: .seconds(2)))
        #expect(text.contains("CLOSE_WAIT within") && text.contains("LISTEN 127.0.0.1:\(listener.port)"))
        let none = try await StateExpectation(states: .listen, filter: .inode(1), limit: .seconds(2)).failure()
        #expect(none?.contains("it found none at all") == true)
    }

    @Test func `A cancelled test does not wait, and gets no failure`() async throws {
        let port = try TestSocket.listener().port
        let task = Task { try await failure(.closeWait, port, within: .seconds(600)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
