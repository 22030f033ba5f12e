import Testing

@testable import SockDiag

@Suite struct ProcessNameTests {
    @Test func `A long name is the same as the kernel's cut of it`() {
        #expect(ProcessName("systemd-networkd") == ProcessName("systemd-network"))
        #expect(ProcessName("systemd-networkd").description == "systemd-network")
        #expect(ProcessName("systemd-netw") != ProcessName("systemd-network"))
    }

    @Test func `The bytes are kept, whatever their encoding`() {
        let bytes: [UInt8] = [0xff, 0x00, 0x41]
        #expect(ProcessName(bytes: bytes).bytes == [0xff])
        #expect(ProcessName(bytes: 0x80..<0x8f).bytes == Array(0x80..<0x8f))
        #expect(ProcessName("").bytes.isEmpty)
    }

    @Test(arguments: [
        ("nginx", "nginx"),
        ("日本語", "日本語"),
        ("\u{1b}[2J", #"\x1b[2J"#),
        ("a\nb\r\t", #"a\x0ab\x0d\x09"#),
        (#"a\x1b"#, #"a\\x1b"#),
        ("\u{9b}2J", #"\xc2\x9b2J"#),
        ("\u{202e}txt", #"\xe2\x80\xaetxt"#),
        ("\u{2028}", #"\xe2\x80\xa8"#),
        ("\u{7f}", #"\x7f"#),
    ])
    func `What could steer a terminal or break a line is escaped, and nothing else`(name: String, printed: String) {
        #expect(String(escaping: name.utf8) == printed)
    }

    @Test(
        arguments: [
            ([0x61, 0xff, 0x62], #"a\xffb"#),
            ([0xe6, 0x97], #"\xe6\x97"#),
            ([0xe6, 0x97, 0x61], #"\xe6\x97a"#),
            ([0xc0, 0x80], #"\xc0\x80"#),
            ([0xed, 0xa0, 0x80, 0x62], #"\xed\xa0\x80b"#),
            ([], ""),
        ] as [([UInt8], String)]
    )
    func `Bytes that are no UTF-8 are escaped each`(bytes: [UInt8], printed: String) {
        #expect(String(escaping: bytes) == printed)
    }
}
