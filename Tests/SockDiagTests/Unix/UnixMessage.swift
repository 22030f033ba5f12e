/// `struct unix_diag_msg` of `<linux/unix_diag.h>` and its attributes, as a little-endian kernel writes them.
enum UnixMessage {
    /// A stream socket in LISTEN, without attributes.
    static let listener: [UInt8] = [
        1,  // udiag_family: AF_UNIX
        1,  // udiag_type: SOCK_STREAM
        10,  // udiag_state: TCP_LISTEN
        0,  // pad
        0x15, 0xcd, 0x5b, 0x07,  // udiag_ino: 123,456,789
        0x21, 0x43, 0x65, 0x87, 0x0f, 0, 0, 0,  // udiag_cookie: low word, high word
    ]

    /// A datagram socket without a peer.
    static let datagram: [UInt8] = [1, 2, 7, 0, 9, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]

    /// Every attribute, each padded to 4 bytes.
    static let everything: [[UInt8]] = [
        attribute(0, Array("/run/a\u{1b}\\".utf8) + [0xff, 0]),  // UNIX_DIAG_NAME
        attribute(1, [0x10, 0x27, 0, 0, 0x14, 0, 0xc0, 0]),  // UNIX_DIAG_VFS: inode 10,000 of device 12:20
        attribute(2, [0x39, 0x30, 0, 0]),  // UNIX_DIAG_PEER: 12,345
        attribute(3, [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]),  // UNIX_DIAG_ICONS: 1, none, 2
        attribute(4, [3, 0, 0, 0, 0x80, 0, 0, 0]),  // UNIX_DIAG_RQLEN: 3 of 128
        attribute(5, (1...9).flatMap { [$0, 0, 0, 0] }),  // UNIX_DIAG_MEMINFO
        attribute(6, [1]),  // UNIX_DIAG_SHUTDOWN
        attribute(7, [0xe8, 3, 0, 0]),  // UNIX_DIAG_UID: 1000
    ]

    static func attribute(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        [UInt8(4 + value.count), 0, type, 0] + value + [UInt8](repeating: 0, count: -value.count & 3)
    }
}
