internal import SocketValues
internal import Testing

@testable internal import BPF

@Suite struct BTFTests {
    @Test func `A member is found through anonymous structures, typedefs and qualifiers`() throws {
        let types = try BTF(TestBTF.bytes, naming: ["outer", "inner_t", "none"])
        #expect(types.number(of: "outer") == TestBTF.outer)
        #expect(types.number(of: "inner_t") == TestBTF.alias)
        #expect(types.number(of: "none") == nil)
        #expect(types.member("outer", "in.first") == BTF.Member(offset: 8, size: 4))
        #expect(types.member("outer", "in.low") == BTF.Member(offset: 12, size: 4))
        #expect(types.member("inner_t", "half") == BTF.Member(offset: 4, size: 2))
        #expect(types.member("outer", "next") == BTF.Member(offset: 16, size: 8))
        for path in ["in.bits", "in.none", "next.pad", "pad.first", "first", ""] {
            let member = types.member("outer", path)
            #expect(member == nil || path.isEmpty, "\(path)")
        }
        #expect(types.member("none", "first") == nil)
    }

    @Test func `An enumeration has the names of its values`() throws {
        let types = try BTF(TestBTF.bytes, naming: ["reason", "outer"])
        #expect(types.names(of: "reason") == [0: "NONE", 7: "LATE"])
        #expect(types.names(of: "outer").isEmpty)
        #expect(types.names(of: "none").isEmpty)
    }

    @Test func `Bytes that are cut anywhere are refused`() {
        let bytes = TestBTF.bytes
        for length in bytes.indices {
            let error = #expect(throws: KernelError.self) { try BTF(Array(bytes.prefix(length)), naming: ["outer"]) }
            #expect(error?.code == .malformedReply, "\(length)")
        }
    }

    @Test func `No wrong byte leads out of the bytes or into a loop`() {
        let bytes = TestBTF.bytes
        for position in bytes.indices {
            for value: UInt8 in [0, 1, 7, 8, 9, 0x7f, 0x80, 0xff] {
                var wrong = bytes
                wrong[position] = value
                guard let types = try? BTF(wrong, naming: ["outer", "inner_t", "reason"]) else { continue }
                _ = types.names(of: "reason")
                for path in ["in.half", "in.first", "next", "in.bits"] { _ = types.member("outer", path) }
            }
        }
    }

    @Test func `A kernel without BTF is an error that says what is needed`() {
        let error = #expect(throws: KernelError.self) { try BTF.ofKernel(naming: [], path: "/nowhere/btf") }
        #expect(error?.code == .unsupported)
        #expect(error?.remedy.contains("CONFIG_DEBUG_INFO_BTF") == true)
    }

    @Test func `The running kernel's types are read`() throws {
        try #require(!BPFSupport.here().missing.contains(.types))
        let types = try BTF.ofKernel(naming: ["tcp_sock", "btf_trace_inet_sock_set_state"])
        #expect(types.number(of: "btf_trace_inet_sock_set_state") != nil)
        #expect(types.member("tcp_sock", "inet_conn.icsk_inet.sk.__sk_common.skc_family")?.size == 2)
    }
}
