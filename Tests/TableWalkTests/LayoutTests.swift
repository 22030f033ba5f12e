internal import BPF
internal import SockDiag
internal import SocketValues
internal import Testing

@testable internal import TableWalk

/// Where the kernel is not as the walk needs it, that is an error, and nothing is walked.
@Suite struct LayoutTests {
    @Test func `Without the kernel's types there is no walk`() {
        let error = #expect(throws: KernelError.self) {
            _ = try WalkPrograms(typesPath: "/proc/no-such-file")
        }
        #expect(error?.code == .unsupported)
    }

    @Test func `What one call is asked for is told in the order that the program reads it`() {
        var request = WalkRequest(namespace: 1, start: 2, end: 3, states: 4, family: .ipv6, localPort: 443)
        request.remotePort = 0x1234
        #expect(request.arguments == [1, 2, 3, WalkRequest.steps, 4, 10, 443, UInt64((0x1234 as UInt16).bigEndian)])
        // The kernel takes no more numbers than these.
        #expect(request.arguments.count <= 12)
    }

    @Test(arguments: [100, 250, 300, 1000]) func `A walk is loaded whatever the kernel's ticks are`(rate: UInt64) throws
    {
        let support = BPFSupport.here()
        if !support.isComplete { try Test.cancel(Comment(rawValue: support.description)) }
        let layout = try KernelLayout(path: BPFSupport.typesPath)
        let programs = try WalkPrograms(layout, tick: (1_000_000_000 + rate / 2) / rate)
        _ = try TableWalker(programs, for: .rows)
    }
}
