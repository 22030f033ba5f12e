/// An endpoint of a connection: an address, a port, and for a link-local address the interface that it is valid on.
///
/// Prints as `192.0.2.1:443`, `[2001:db8::1]:443`, `[fe80::1%2]:443`.
public struct SocketEndpoint: Hashable, Sendable {
    /// The address.
    public var address: IPAddress
    /// The port, in host byte order; 0 where there is none, as at a listener's remote endpoint.
    public var port: UInt16
    /// The scope of a link-local IPv6 address (`sin6_scope_id`).
    public var scope: NetworkInterface? {
        get { scopeID == 0 ? nil : NetworkInterface(rawValue: scopeID) }
        set { scopeID = newValue?.rawValue ?? 0 }
    }
    private var scopeID: UInt32

    /// An endpoint.
    public init(_ address: IPAddress, port: UInt16, scope: NetworkInterface? = nil) {
        self.address = address
        self.port = port
        scopeID = scope?.rawValue ?? 0
    }
}

extension SocketEndpoint: CustomStringConvertible {
    /// The usual form, with `*` where there is no port.
    public var description: String {
        let number = port == 0 ? "*" : String(port)
        guard address.family == .ipv6 else { return "\(address):\(number)" }
        return "[\(address)\(scope.map { "%\($0.rawValue)" } ?? "")]:\(number)"
    }
}
