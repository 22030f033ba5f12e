import Glibc
import SocketTesting
import Testing

/// What the trait adds to a test, printed: the time of its scope around nothing.
@Suite(.serialized) struct TraitCost {
    @Test(arguments: [0, 1_000]) func `Of a test that does nothing`(openSockets: Int) async throws {
        let sockets = (0..<openSockets).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        defer { for descriptor in sockets { close(descriptor) } }
        try await report("nothing, beside \(openSockets) open sockets") {}
    }

    @Test func `Of a test that uses a socket`() async throws {
        try await report("a socket, made and closed") {
            close(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        }
    }

    private func report(_ name: String, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let test = try #require(Test.current)
        let trait: NoSocketLeaks = .noSocketLeaks
        var times: [Duration] = []
        for _ in 0..<1_000 {
            let start = ContinuousClock.now
            try await trait.provideScope(for: test, testCase: Test.Case.current, performing: body)
            times.append(start.duration(to: .now))
        }
        times.sort()
        print("\(name): median \(times[500]), 99 % within \(times[990]), longest \(times[999])")
    }
}
