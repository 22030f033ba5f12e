internal import LinuxLibC
internal import LinuxSystem

extension KernelError {
    /// The failure of a request or of a call for it, by its errno; without a remedy of its own it has the one that the code
    /// usually has.
    init(errno: Int32, operation: String, detail: String = "", remedy: String? = nil) {
        let code: Code =
            switch errno {
            // No kernel with netlink is without its sockets: a sandbox refuses them by that number.
            case EPERM, EACCES, EAFNOSUPPORT: .permissionDenied
            case ENOENT, EOPNOTSUPP, EPROTONOSUPPORT, ENOSYS: .unsupported
            case EINVAL, ERANGE: .invalidRequest
            default: .system
            }
        let remedy = remedy ?? code.usualRemedy
        self.init(code, errno: errno, operation: operation, detail: detail, remedy: remedy)
    }
}

extension KernelError.Code {
    /// What usually makes a request work that failed so.
    var usualRemedy: String {
        switch self {
        case .unsupported:
            "the kernel needs CONFIG_INET_DIAG and CONFIG_INET_TCP_DIAG (modules inet_diag and tcp_diag: modprobe tcp_diag)"
        case .permissionDenied:
            "a seccomp profile, SELinux, a sandbox or systemd's RestrictAddressFamilies= denies AF_NETLINK: allow it for this process"
        case .missingCapability: "it takes CAP_NET_ADMIN: run as root, or give the program this capability"
        case .inconsistentDump: "try again when fewer sockets come and go"
        default: ""
        }
    }
}
