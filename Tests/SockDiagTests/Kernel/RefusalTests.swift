import Glibc
import Testing

@testable import SockDiag

/// What the kernel refuses, and what a person reads then.
struct RefusalTests {
    @Test func aFamilyThatTheKernelDoesNotHaveIsAnErrorThatNamesIt() throws {
        var client = try SockDiagClient()
        let error = #expect(throws: SockDiagError.self) {
            try client.sockets(SocketQuery(family: AddressFamily(rawValue: 99)))
        }
        print(error!.description, error!.code)
        let error2 = #expect(throws: SockDiagError.self) {
            try client.sockets(SocketQuery(family: AddressFamily(rawValue: 44)))
        }
        print(error2!.description, error2!.code)
        let error3 = #expect(throws: SockDiagError.self) {
            try client.sockets(SocketQuery(protocol: SocketProtocol(rawValue: 99)))
        }
        print(error3!.description, error3!.code)
        let error4 = #expect(throws: SockDiagError.self) {
            try client.sockets(SocketQuery(protocol: SocketProtocol(rawValue: 999)))
        }
        print(error4!.description, error4!.code)
        print(try client.sockets().count)
    }

    @Test func withoutADescriptorLeftTheErrorSaysSo() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let error = #expect(throws: SockDiagError.self) { _ = try SockDiagClient() }
            #expect(error?.code == .system)
            #expect(error?.errno == EMFILE)
            #expect(error?.description == "cannot open a netlink socket: Too many open files")
        }
    }
}
