internal import CMnl
internal import LinuxLibC

/// A dump request of `<linux/unix_diag.h>` as bytes.
enum UnixDumpRequest {
    /// The message: `struct nlmsghdr`, then `struct unix_diag_req`.
    static func bytes(_ query: UnixSocketQuery, sequence: UInt32) -> [UInt8] {
        // sdiag_family, sdiag_protocol, pad
        let family = UInt32(UInt8(AF_UNIX)).littleEndian
        // nlmsg_len; nlmsg_type and nlmsg_flags; nlmsg_seq; nlmsg_pid
        let flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        bytes.append(UInt32(size))
        bytes.append(UInt16(SOCK_DIAG_BY_FAMILY))
        bytes.append(flags)
        bytes.append(sequence)
        bytes.append(UInt32(0))
        bytes.append(family)
        bytes.append(query.states.rawValue)
        bytes.append(UInt32(0))  // udiag_ino
        bytes.append(query.extensions.rawValue)
        bytes.append(UInt64(0))  // udiag_cookie
        return bytes
    }

    private static let size = 16 + 24
}

extension [UInt8] {
    /// Appends a number in the machine's byte order.
    fileprivate mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        Swift.withUnsafeBytes(of: number) { append(contentsOf: $0) }
    }
}
