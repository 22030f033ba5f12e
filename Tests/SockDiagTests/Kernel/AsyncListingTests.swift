internal import Glibc
internal import TCPStateLab
internal import Testing

@testable internal import SockDiag

@Suite("A listing that is awaited", .timeLimit(.minutes(30)))
struct AsyncListingTests {
    @Test func `It has the sockets of another namespace`() async throws {
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let listener = try lab.listener()
        let namespace = try NetworkNamespace(path: lab.namespace.path)
        let sockets = try await SockDiagClient.sockets(SocketQuery(states: .listen), in: namespace)
        #expect(sockets.map(\.cookie) == [try listener.cookie()])
    }

    @Test func `What the kernel refuses is thrown`() async throws {
        let query = SocketQuery(family: AddressFamily(rawValue: 99))
        await #expect(throws: KernelError.self) { try await SockDiagClient.sockets(query) }
    }

    @Test func `What takes long is done by another thread, and what it throws is thrown`() async throws {
        let callers = pthread_self()
        let isOther = try await onOwnThread { () throws(KernelError) in pthread_equal(pthread_self(), callers) == 0 }
        #expect(isOther)
        let namespace = try await onOwnThread { () throws(KernelError) in try NetworkNamespace.current }
        #expect(namespace == (try NetworkNamespace.current))
        await #expect(throws: KernelError(.notFound, operation: "find it")) {
            try await onOwnThread { () throws(KernelError) in throw KernelError(.notFound, operation: "find it") }
        }
    }
}
