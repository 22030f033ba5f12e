import Glibc

/// Makes sure that this process is in a network namespace of its own, where nothing but the benchmark's sockets is: starts
/// itself anew under `unshare(1)`, in a user namespace too where it is not root.
func enterNetworkNamespace() throws {
    let mark = "TCPSTATES_BENCHMARK_NAMESPACE"
    if getenv(mark) == nil {
        setenv(mark, "1", 1)
        let command = ["unshare", geteuid() == 0 ? "-n" : "-Urn"] + CommandLine.arguments
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        execvp("unshare", &arguments)
        throw Failure.system("run unshare (of util-linux)")
    }
    setenv("PATH", "/usr/sbin:/sbin:" + (getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"), 1)
    let child = try Child(["ip", "link", "set", "lo", "up"])
    guard try child.wait().status == 0 else { throw Failure("cannot bring up lo: ip link ended with an error") }
    for (name, value) in [
        ("net/ipv4/ip_local_port_range", "1024 65535"), ("net/core/somaxconn", "65535"),
        ("net/ipv4/tcp_max_syn_backlog", "65535"),
    ] {
        try write(value, to: "/proc/sys/\(name)")
    }
}

/// The command in a network namespace of its own, where nothing has happened yet: a busy one is full of TIME_WAITs.
func isolated(_ command: [String]) -> [String] {
    let script = "ip link set lo up && echo 1024 65535 > /proc/sys/net/ipv4/ip_local_port_range && exec \"$0\" \"$@\""
    return ["unshare", "-n", "sh", "-c", script] + command
}
