import LeakyServer
import SocketTesting
import Testing

/// Each test passes by itself, and leaves something open that it should have closed.
@Suite(.noSocketLeaks) struct Leaky {
    @Test func `The quote is served`() async throws {
        let server = try await QuoteServer.start()
        #expect(try await get("/quote", from: server.port).hasSuffix("Be liberal in what you accept."))
        // The server is never stopped: a listener.
    }

    @Test func `A pool asks twice`() async throws {
        let server = try await LineServer.start()
        let pool = LinePool(port: server.port)
        #expect(try await pool.answer(to: "one") == "one")
        #expect(try await pool.answer(to: "two") == "two")
        // The pool is never shut down: a connection, with both of its sockets.
        try await server.stop()
    }

    @Test func `A client hangs up`() async throws {
        let server = try await LineServer.start(closesAfterClient: false)
        let pool = LinePool(port: server.port)
        #expect(try await pool.answer(to: "bye") == "bye")
        try await pool.shutDown()
        // The server forgets to close: an accepted connection in CLOSE_WAIT.
        try await server.stop()
    }
}
