/// Datagrams as the kernel sends them: `struct nlmsghdr` of `<linux/netlink.h>` before each message, padded to 4 bytes.
enum Datagram {
    /// The sequence number that the tests ask with.
    static let sequence: UInt32 = 0x0102_0304

    /// `SOCK_DIAG_BY_FAMILY` of `<linux/sock_diag.h>`
    static let socketType: UInt16 = 20
    /// `NLMSG_NOOP`, `NLMSG_ERROR`, `NLMSG_DONE`
    static let (noop, error, done): (UInt16, UInt16, UInt16) = (1, 2, 3)
    /// `NLM_F_MULTI`, `NLM_F_DUMP_INTR`, `NLM_F_CAPPED`, `NLM_F_ACK_TLVS`
    static let (multi, interrupted, capped, acknowledgement): (UInt16, UInt16, UInt16, UInt16) = (2, 0x10, 0x100, 0x200)

    /// One message with its header.
    static func message(
        _ type: UInt16,
        flags: UInt16 = multi,
        sequence: UInt32 = sequence,
        _ payload: [UInt8]
    ) -> [UInt8] {
        let padding = [UInt8](repeating: 0, count: -payload.count & 3)
        return bytes(UInt32(16 + payload.count))  // nlmsg_len
            + bytes(type)  // nlmsg_type
            + bytes(flags)  // nlmsg_flags
            + bytes(sequence)  // nlmsg_seq
            + bytes(0x7777 as UInt32)  // nlmsg_pid: of the asking socket
            + payload + padding
    }

    /// A socket's message: `struct inet_diag_msg` and attributes.
    static func socket(_ payload: [UInt8], flags: UInt16 = multi, sequence: UInt32 = sequence) -> [UInt8] {
        message(socketType, flags: flags, sequence: sequence, payload)
    }

    /// The end of a dump: an errno, negative, or 0.
    static func end(_ code: Int32 = 0, flags: UInt16 = multi, sequence: UInt32 = sequence) -> [UInt8] {
        message(done, flags: flags, sequence: sequence, bytes(UInt32(bitPattern: code)))
    }

    /// `struct nlmsgerr`: an errno, negative, and the header of the request that failed.
    static func failure(_ code: Int32, sequence: UInt32 = sequence) -> [UInt8] {
        message(error, flags: capped, sequence: sequence, bytes(UInt32(bitPattern: code)) + requestHeader)
    }

    /// The header of a request as an error echoes it: 72 bytes of `SOCK_DIAG_BY_FAMILY`.
    static let requestHeader: [UInt8] =
        bytes(72 as UInt32) + bytes(socketType) + bytes(0x301 as UInt16)
        + bytes(sequence) + bytes(0 as UInt32)

    /// `NLMSGERR_ATTR_OFFS`, then `NLMSGERR_ATTR_MSG` of `<linux/netlink.h>`: where in the request, and in words.
    static func extendedACK(_ text: String) -> [UInt8] {
        let value = [UInt8](text.utf8) + [0]
        return [8, 0, 2, 0, 16, 0, 0, 0] + bytes(UInt16(4 + value.count)) + [1, 0] + value
            + [UInt8](repeating: 0, count: -value.count & 3)
    }

    static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { [UInt8]($0) }
    }
}
