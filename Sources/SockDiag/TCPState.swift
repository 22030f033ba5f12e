/// The state of a TCP socket, as the kernel numbers it.
public struct TCPState: RawRepresentable, Hashable, Sendable {
    /// The kernel's number, as in `idiag_state`.
    public var rawValue: UInt8

    /// A state of any number, also of one that this version does not know.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
}
