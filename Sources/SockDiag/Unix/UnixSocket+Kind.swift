extension UnixSocket {
    /// What a socket's type promises.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The kernel's number (`SOCK_*`).
        public var rawValue: UInt8

        /// A type of any number.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// A stream of bytes (`SOCK_STREAM`).
        public static let stream = Kind(rawValue: 1)
        /// Datagrams (`SOCK_DGRAM`).
        public static let datagram = Kind(rawValue: 2)
        /// The same as ``datagram``, which the kernel makes of it (`SOCK_RAW`).
        public static let raw = Kind(rawValue: 3)
        /// Packets in their order, over a connection (`SOCK_SEQPACKET`).
        public static let sequencedPackets = Kind(rawValue: 5)
    }
}

extension UnixSocket.Kind: CustomStringConvertible {
    /// `stream`, `dgram`, `raw`, `seqpacket` or `type_<n>`.
    public var description: String {
        switch self {
        case .stream: "stream"
        case .datagram: "dgram"
        case .raw: "raw"
        case .sequencedPackets: "seqpacket"
        default: "type_\(rawValue)"
        }
    }
}
