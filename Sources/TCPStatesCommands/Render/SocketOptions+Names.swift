internal import SockDiag

extension SocketOptions {
    /// The kernel's names of the options (`struct inet_diag_sockopt`), in its order.
    static let named: [(name: StaticString, option: SocketOptions)] = [
        ("recverr", .recverr),
        ("is_icsk", .isConnectionOriented),
        ("freebind", .freebind),
        ("hdrincl", .hdrincl),
        ("mc_loop", .multicastLoop),
        ("transparent", .transparent),
        ("mc_all", .multicastAll),
        ("nodefrag", .nodefrag),
        ("bind_address_no_port", .bindAddressNoPort),
        ("recverr_rfc4884", .recverrRFC4884),
        ("defer_connect", .deferConnect),
    ]
}
