import Glibc
import SockDiag
import SocketLeaks
import SocketOwners
import SocketTesting
import SocketTestingXCTest
import TCPDiagnosis
import TCPRecords
import TCPWatch
import Testing
import XCTest

/// Every library of the package in one program, which fetches nothing for them.
@Suite(.noSocketLeaks) struct EmbeddingTests {
    @Test func `Each library says of one listener what it is for`() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(listen(listener, 1) == 0)
        defer { close(listener) }

        var client = try SockDiagClient()
        let owned = try OwnerSnapshot(in: .process(getpid()))
        let found = try client.sockets(in: .listen).filter { owned[$0.inode].contains { $0.descriptor == listener } }
        let own = try #require(found.first)

        var text = JSONLinesEncoder()
        text.append(own, owners: owned[own.inode], namespace: nil, time: nil)
        let line = text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        guard case .socket(let read) = try Record(jsonLine: line).content else { throw CancellationError() }
        #expect(read.cookie == own.cookie)

        var search = try ForgottenSockets(of: .process(getpid()))
        #expect(try !search.find(olderThan: .zero).sockets.contains { $0.socket.cookie == own.cookie })
        var doctor = try Doctor()
        #expect(try !doctor.examine().contains { $0.local == own.local })
        #expect(WatchAccess.current().allows(.ipv4))
    }
}

/// The same for XCTest.
final class EmbeddingXCTests: NoSocketLeaksTestCase {
    func testNothingIsLeftOpen() { close(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)) }
}
