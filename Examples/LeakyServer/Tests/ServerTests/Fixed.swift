import LeakyServer
import SocketTesting
import Testing

/// The same tests without their mistakes.
@Suite(.noSocketLeaks) struct Fixed {
    @Test func `The quote is served`() async throws {
        let server = try await QuoteServer.start()
        #expect(try await get("/quote", from: server.port).hasSuffix("Be liberal in what you accept."))
        try await server.stop()
    }

    @Test func `A pool asks twice`() async throws {
        let server = try await LineServer.start()
        let pool = LinePool(port: server.port)
        #expect(try await pool.answer(to: "one") == "one")
        #expect(try await pool.answer(to: "two") == "two")
        try await pool.shutDown()
        try await server.stop()
    }

    @Test func `A client hangs up`() async throws {
        let server = try await LineServer.start()
        let pool = LinePool(port: server.port)
        #expect(try await pool.answer(to: "bye") == "bye")
        try await pool.shutDown()
        try await server.stop()
    }
}
