import LeakyServer
import SocketTesting
import Testing

/// Two hundred tests at once that use sockets and leave none: nobody is to be blamed.
@Suite(.noSocketLeaks) struct Crowd {
    @Test(arguments: 1...200) func `Everybody asks a server`(number: Int) async throws {
        let server = try await LineServer.start()
        let pool = LinePool(port: server.port)
        for question in 1...3 {
            #expect(try await pool.answer(to: "\(number).\(question)") == "\(number).\(question)")
        }
        try await pool.shutDown()
        try await server.stop()
    }
}
