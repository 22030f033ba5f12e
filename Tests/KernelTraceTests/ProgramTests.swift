internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import KernelTrace

@Suite struct ProgramTests {
    @Test func `Instructions are encoded as the kernel reads them`() {
        let program = Program([
            .load(.r6, .u64, from: .r1, 8),
            .label("again"),
            .jumpIf32(.r6, .equal, 7, "out"),
            .loadMapValue(.r1, 5, 16),
            .storeNumber(.u16, to: .r9, 2, -1),
            .jump("again"),
            .label("out"),
            .set(.r0, 0),
            .exit,
        ])
        #if _endian(little)
            #expect(
                program.words == [
                    0x0000_0000_0008_1679, 0x0000_0007_0004_0616, 0x0000_0005_0000_2118, 0x0000_0010_0000_0000,
                    0xffff_ffff_0002_096a, 0x0000_0000_fffb_0005, 0x0000_0000_0000_00b7, 0x0000_0000_0000_0095,
                ]
            )
        #endif
    }

    @Test func `A refused program is an error with the verifier's words`() throws {
        try Self.cancelUnlessPermitted()
        let types = try BTF.ofKernel(naming: Listing.typeNames)
        let type = try #require(types.number(of: TraceRecord.Event.step.typeName))
        // r1 points to the arguments, of which there are three.
        let listing: [Instruction] = [.load(.r0, .u64, from: .r1, 4096), .set(.r0, 0), .exit]
        let error = #expect(throws: SockDiagError.self) {
            _ = try BPFDescriptor.program(Program(listing), type: type, for: .tracepoint("test"))
        }
        #expect(error?.detail.contains("invalid bpf_context access") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `A program that is too long, and a ring that is too large, are errors`() throws {
        try Self.cancelUnlessPermitted()
        let types = try BTF.ofKernel(naming: Listing.typeNames)
        let type = try #require(types.number(of: TraceRecord.Event.step.typeName))
        let long = [Instruction](repeating: .set(.r0, 0), count: 1_000_001) + [.exit]
        let tooLong = #expect(throws: SockDiagError.self) {
            _ = try BPFDescriptor.program(Program(long), type: type, for: .tracepoint("test"))
        }
        #expect(tooLong?.errno == E2BIG)
        #expect(throws: SockDiagError.self) { _ = try KernelTrace(ringSize: 1 << 40) }
        #expect(throws: SockDiagError.self) { _ = try KernelTrace(ringSize: 5000) }
    }

    @Test(arguments: [
        (EPERM, SockDiagError.Code.missingCapability, "CAP_BPF and CAP_PERFMON"), (ENOSYS, .unsupported, "5.12"),
        (E2BIG, .system, "smaller"), (ENOSPC, .system, "smaller"), (EINVAL, .invalidRequest, "without the trace"),
    ])
    func `Every refusal says what would help`(errno: Int32, code: SockDiagError.Code, word: String) {
        let error = SockDiagError(bpf: errno, "load a program")
        #expect(error.code == code)
        #expect(error.description.hasPrefix("cannot load a program: "))
        #expect(error.remedy.contains(word))
    }

    @Test func `Where a tracepoint is missing, only what it told is`() throws {
        try Self.cancelUnlessPermitted()
        let request = TraceRecord.Event.requestRetransmitted
        let names = Listing.typeNames.filter { $0 != request.typeName }
        let trace = try KernelTrace(TraceFilter(), types: try BTF.ofKernel(naming: names))
        let missing = trace.missing
        #expect(Array(missing.keys) == [request])
        #expect(missing[request]?.detail == "this kernel has no such tracepoint")
        let step = TraceRecord.Event.step
        let without = Listing.typeNames.filter { $0 != step.typeName }
        let error = #expect(throws: SockDiagError.self) {
            _ = try KernelTrace(TraceFilter(), types: try BTF.ofKernel(naming: without))
        }
        #expect(error?.code == .unsupported)
        #expect(error?.operation == "trace inet_sock_set_state")
    }

    @Test func `Where the kernel's structures lack a member, that is named`() throws {
        try Self.cancelUnlessPermitted()
        let error = #expect(throws: SockDiagError.self) {
            let names = Listing.typeNames.filter { $0 != "net" }
            _ = try KernelTrace(TraceFilter(), types: try BTF.ofKernel(naming: names))
        }
        #expect(error?.detail == "this kernel's struct net has no ns.inum")
    }

    static func cancelUnlessPermitted() throws {
        let support = TraceSupport.here()
        if !support.isComplete { try Test.cancel(Comment(rawValue: support.description)) }
    }
}
