internal import Glibc

extension Lab {
    /// Sets a parameter of the namespace: `try lab.sysctl("net.ipv4.tcp_fin_timeout", 120)`.
    package func sysctl(_ name: String, _ value: some CustomStringConvertible) throws(LabError) {
        try run { () throws(LabError) in try Self.write(name, value.description) }
    }

    /// Long lives for the states that a timer ends, and no addresses but the lab's own.
    ///
    /// Orphans live no longer than elsewhere: those of tests that crash would keep their namespace.
    static func setDefaults() throws(LabError) {
        try write("net.ipv4.tcp_syn_retries", "127")  // MAX_TCP_SYNCNT
        try write("net.ipv4.tcp_synack_retries", "255")
        try write("net.ipv4.tcp_retries2", "255")
        try write("net.ipv4.tcp_max_syn_backlog", "65536")
        try write("net.ipv6.conf.default.addr_gen_mode", "1")  // IN6_ADDR_GEN_MODE_NONE
    }

    /// Writes below /proc/sys, which shows the calling thread's namespace.
    private static func write(_ name: String, _ value: String) throws(LabError) {
        let path = "/proc/sys/" + name.split(separator: ".").joined(separator: "/")
        let file = try Descriptor("open \(path)") { Glibc.open(path, O_WRONLY | O_CLOEXEC) }
        try file.call("write \(value) to \(path)") { Glibc.write($0, value, value.utf8.count) }
    }
}
