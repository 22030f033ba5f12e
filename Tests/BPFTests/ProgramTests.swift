internal import Glibc
internal import SocketValues
internal import Testing

@testable internal import BPF

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

    @Test(arguments: [
        (EPERM, KernelError.Code.missingCapability, "CAP_BPF and CAP_PERFMON"), (ENOSYS, .unsupported, "5.12"),
        (E2BIG, .system, "smaller"), (ENOSPC, .system, "smaller"), (EINVAL, .invalidRequest, "without tracing"),
    ])
    func `Every refusal says what would help`(errno: Int32, code: KernelError.Code, word: String) {
        let error = KernelError(bpf: errno, "load a program")
        #expect(error.code == code)
        #expect(error.description.hasPrefix("cannot load a program: "))
        #expect(error.remedy.contains(word))
    }
}
