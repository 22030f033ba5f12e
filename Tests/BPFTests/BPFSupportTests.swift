internal import LinuxSystem
internal import TCPStateLab
internal import Testing

@testable internal import BPF

@Suite struct BPFSupportTests {
    @Test func `What is missing is said in one line, with what would give it`() {
        let none = BPFSupport(missing: [.privilege])
        #expect(none.description.hasPrefix("tracing needs CAP_BPF and CAP_PERFMON: "))
        #expect(!none.isComplete)
        #expect(!none.description.contains("make"), "how a program is given capabilities is for the program to say")
        let old = BPFSupport(missing: [.kernel, .types])
        #expect(old.description.hasPrefix("tracing needs Linux 5.12 or newer, and a kernel with BTF"))
    }

    @Test func `Root in its own user namespace has all that a kernel with BTF needs`() throws {
        try #require(KernelRelease.running >= KernelRelease("5.12"))
        #expect(BPFSupport.here().missing.contains(.privilege) == !Program.isRoot)
    }
}
