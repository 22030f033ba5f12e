import Glibc
import Testing

@testable import SockDiag

/// Which code an errno becomes, and the line that a person reads.
struct KernelErrorTests {
    private static let kernelNeeds =
        "; the kernel needs CONFIG_INET_DIAG and CONFIG_INET_TCP_DIAG "
        + "(modules inet_diag and tcp_diag: modprobe tcp_diag)"
    private static let policy =
        "; a seccomp profile, SELinux, a sandbox or systemd's RestrictAddressFamilies= denies AF_NETLINK: "
        + "allow it for this process"

    private static let table: [(Int32, KernelError.Code, String)] = [
        (EPERM, .permissionDenied, "Operation not permitted" + policy),
        (EACCES, .permissionDenied, "Permission denied" + policy),
        (ENOENT, .unsupported, "No such file or directory" + kernelNeeds),
        (EOPNOTSUPP, .unsupported, "Operation not supported" + kernelNeeds),
        (EPROTONOSUPPORT, .unsupported, "Protocol not supported" + kernelNeeds),
        (EAFNOSUPPORT, .permissionDenied, "Address family not supported by protocol" + policy),
        (ENOSYS, .unsupported, "Function not implemented" + kernelNeeds),
        (EINVAL, .invalidRequest, "Invalid argument"),
        (ERANGE, .invalidRequest, "Numerical result out of range"),
        (EMFILE, .system, "Too many open files"),
        (ENOMEM, .system, "Cannot allocate memory"),
        (ENOBUFS, .system, "No buffer space available"),
        (EBUSY, .system, "Device or resource busy"),
        (Int32.max, .system, "Unknown error 2147483647"),
    ]

    @Test(arguments: table) func `Every errno becomes its code and one line`(
        errno: Int32,
        code: KernelError.Code,
        reason: String
    ) {
        let error = KernelError(errno: errno, operation: "dump the TCP sockets")
        #expect(error.code == code)
        #expect(error.errno == errno)
        #expect(error.description == "cannot dump the TCP sockets: \(reason)")
    }

    @Test func `The kernel's words stand beside the errno`() {
        let error = KernelError(errno: EINVAL, operation: "dump the TCP sockets", detail: "bytecode too long")
        #expect(error.description == "cannot dump the TCP sockets: Invalid argument (bytecode too long)")
    }

    @Test func `Where the system reported nothing, the detail is the reason`() {
        let error = KernelError(.malformedReply, operation: "dump the TCP sockets", detail: "an end of 2 bytes")
        #expect(error.errno == 0)
        #expect(error.description == "cannot dump the TCP sockets: an end of 2 bytes")
        #expect(KernelError(.system, operation: "try").description == "cannot try")
    }

    @Test func `Who tests a program makes an error as it is received`() {
        let reason = String(cString: strerror(EPERM))
        let made = KernelError(.permissionDenied, errno: EPERM, reason: reason, operation: "try", remedy: "ask")
        #expect(made.description == "cannot try: Operation not permitted; ask")
        #expect(made == KernelError(errno: EPERM, operation: "try", remedy: "ask"))
    }

    @Test func `Every code has its own name`() {
        let codes: [KernelError.Code] = [
            .unsupported, .permissionDenied, .invalidRequest, .malformedReply, .inconsistentDump, .system,
        ]
        #expect(Set(codes).count == codes.count)
        #expect(Set(codes.map(\.description)).count == codes.count)
    }
}
