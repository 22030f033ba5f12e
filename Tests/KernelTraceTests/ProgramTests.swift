internal import BPF
internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import KernelTrace

@Suite struct ProgramTests {
    @Test func `A refused program is an error with the verifier's words`() throws {
        try Self.cancelUnlessPermitted()
        let types = try BTF.ofKernel(naming: Listing.typeNames)
        let type = try #require(types.number(of: TraceRecord.Event.transition.typeName))
        // r1 points to the arguments, of which there are three.
        let listing: [Instruction] = [.load(.r0, .u64, from: .r1, 4096), .set(.r0, 0), .exit]
        let error = #expect(throws: KernelError.self) {
            _ = try BPFDescriptor.program(Program(listing), type: type, for: .tracepoint("test"))
        }
        #expect(error?.detail.contains("invalid bpf_context access") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `A program that is too long, and a ring that is too large, are errors`() throws {
        try Self.cancelUnlessPermitted()
        let types = try BTF.ofKernel(naming: Listing.typeNames)
        let type = try #require(types.number(of: TraceRecord.Event.transition.typeName))
        let long = [Instruction](repeating: .set(.r0, 0), count: 1_000_001) + [.exit]
        let tooLong = #expect(throws: KernelError.self) {
            _ = try BPFDescriptor.program(Program(long), type: type, for: .tracepoint("test"))
        }
        #expect(tooLong?.errno == E2BIG)
        #expect(throws: KernelError.self) { _ = try KernelTrace(ringSize: 1 << 40) }
        #expect(throws: KernelError.self) { _ = try KernelTrace(ringSize: 5000) }
    }

    @Test func `What the machine lacks for tracing has a code of its own`() {
        #expect(KernelError(tracing: BPFSupport(missing: [.privilege])).code == .missingCapability)
        #expect(KernelError(tracing: BPFSupport(missing: [.kernel, .types])).code == .kernelTooOld)
    }

    @Test func `Where a tracepoint is missing, only its events are`() throws {
        try Self.cancelUnlessPermitted()
        let request = TraceRecord.Event.requestRetransmitted
        let names = Listing.typeNames.filter { $0 != request.typeName }
        let trace = try KernelTrace(TraceFilter(), types: try BTF.ofKernel(naming: names))
        let missing = trace.missing
        #expect(Array(missing.keys) == [request])
        #expect(missing[request]?.detail == "this kernel has no such tracepoint")
        let transition = TraceRecord.Event.transition
        let without = Listing.typeNames.filter { $0 != transition.typeName }
        let error = #expect(throws: KernelError.self) {
            _ = try KernelTrace(TraceFilter(), types: try BTF.ofKernel(naming: without))
        }
        #expect(error?.code == .unsupported)
        #expect(error?.operation == "trace inet_sock_set_state")
    }

    @Test func `Where the kernel's structures lack a member, that is named`() throws {
        try Self.cancelUnlessPermitted()
        let error = #expect(throws: KernelError.self) {
            let names = Listing.typeNames.filter { $0 != "net" }
            _ = try KernelTrace(TraceFilter(), types: try BTF.ofKernel(naming: names))
        }
        #expect(error?.detail == "this kernel's struct net has no ns.inum")
    }

    static func cancelUnlessPermitted() throws {
        let support = BPFSupport.here()
        if !support.isComplete { try Test.cancel(Comment(rawValue: support.description)) }
    }
}
