/// A network interface, by its index in the network namespace of the socket that names it.
///
/// The name of an index is asked of a client of that namespace: `SockDiagClient.name(of:)`.
public struct NetworkInterface: RawRepresentable, Hashable, Sendable {
    /// The index, as in `idiag_if` and `if_nametoindex(3)`; never 0.
    public var rawValue: UInt32

    /// The interface of an index.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}
