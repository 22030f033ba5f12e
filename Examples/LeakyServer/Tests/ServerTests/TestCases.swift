import LeakyServer
import SocketTesting
import SocketTestingXCTest
import XCTest

/// The same with XCTest.
final class LeakyTestCase: NoSocketLeaksTestCase {
    func testQuoteIsServed() async throws {
        let server = try await QuoteServer.start()
        let answer = try await get("/quote", from: server.port)
        XCTAssert(answer.hasSuffix("Be liberal in what you accept."))
        // The server is never stopped: a listener.
    }
}

final class FixedTestCase: NoSocketLeaksTestCase {
    private var server: QuoteServer?

    override func tearDown() async throws { try await server?.stop() }

    func testQuoteIsServed() async throws {
        let server = try await QuoteServer.start()
        self.server = server
        let answer = try await get("/quote", from: server.port)
        XCTAssert(answer.hasSuffix("Be liberal in what you accept."))
    }
}
