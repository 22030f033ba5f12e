/// The kernel's measurements of one connection: `struct tcp_info`, as long as this kernel makes it.
///
/// A field is read by its name, as a number in the kernel's own unit; it is nil where the kernel is too old to send it:
///
/// ```swift
/// if let info = socket.tcpInfo, let rtt = info[.rtt] {
///     print("round trip \(rtt) µs, \(info[.totalRetrans] ?? 0) segments retransmitted")
/// }
/// ```
///
/// Source: `<linux/tcp.h>`; RFC 9293, RFC 4898. Asked for with ``SocketExtensions/info``.
public struct TCPInfo: Sendable {
    /// The bytes as they were received, zero behind ``byteCount``. The 280 of kernel 6.18 and some to grow into:
    /// what is longer still is in ``SocketFields/attribute(_:)``.
    var words = InlineArray<40, UInt64>(repeating: 0)

    /// The number of bytes that the kernel sent.
    public let byteCount: Int

    /// Reads the bytes of a `struct tcp_info`; nil where there are fewer than the 104 that every kernel since 2.6.24
    /// sends.
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= Self.shortest else { return nil }
        byteCount = bytes.byteCount
        withUnsafeMutableBytes(of: &words) { target in
            bytes.extracting(first: min(bytes.byteCount, target.count)).withUnsafeBytes { target.copyMemory(from: $0) }
        }
    }

    /// Up to and with `tcpi_total_retrans`.
    static let shortest = 104
    /// The size of ``words``.
    static let capacity = 320

    /// The field's number in its ``Field/unit``; nil where this kernel did not send it.
    public subscript(_ field: Field) -> UInt64? { borrowed[field] }

    /// The negotiated options.
    public var options: Options { borrowed.options }

    /// The bytes as the kernel sends them.
    var bytes: [UInt8] { withUnsafeBytes(of: words) { [UInt8]($0.prefix(byteCount)) } }

    /// A `struct tcp_info`, read in place.
    private var borrowed: BorrowedTCPInfo {
        @_lifetime(borrow self) get { BorrowedTCPInfo(words.span.bytes.extracting(first: byteCount)) }
    }

    /// A field of `struct tcp_info`.
    public struct Field: Sendable {
        /// The kernel's name without `tcpi_`: `snd_cwnd`.
        public var name: String { "\(constantName)" }
        /// What its number counts.
        public let unit: Unit
        /// Not a `String`: a field is read millions of times, and copied without counting references.
        package let constantName: StaticString
        @usableFromInline let offset: Int
        @usableFromInline let size: Int
        @usableFromInline let shift: Int
        @usableFromInline let mask: UInt64

        /// A field of so many bytes at an offset, or some bits of them, as little-endian machines lay bit-fields out.
        init(_ name: StaticString, at offset: Int, size: Int, bits: Range<Int>? = nil, _ unit: Unit = .none) {
            constantName = name
            self.unit = unit
            self.offset = offset
            self.size = size
            shift = bits?.lowerBound ?? 0
            mask = UInt64.max >> UInt64(64 - (bits?.count ?? 8 * size))
        }

        /// Its number in the bytes of a `struct tcp_info`; nil where they end before it does.
        @inlinable
        func value(in bytes: RawSpan) -> UInt64? {
            let number: UInt64? =
                switch size {
                case 1: bytes.number(at: offset, as: UInt8.self).map(UInt64.init)
                case 2: bytes.number(at: offset, as: UInt16.self).map(UInt64.init)
                case 4: bytes.number(at: offset, as: UInt32.self).map(UInt64.init)
                default: bytes.number(at: offset, as: UInt64.self)
                }
            return number.map { $0 >> UInt64(shift) & mask }
        }

        /// Whether its number has 64 bits.
        package var isWide: Bool { size > 4 }

        /// The greatest number that it can hold.
        package var greatest: UInt64 { mask }

        /// A field that the running kernel does not send.
        static func absent(_ name: StaticString) -> Field { Field(name, at: Int(Int32.max), size: 4) }
    }

    /// What a field's number counts. New units may come: let an `@unknown default` take them.
    @nonexhaustive
    public enum Unit: Hashable, Sendable {
        /// A code, a set of bits, or plain events.
        case none
        /// Microseconds.
        case microseconds
        /// Milliseconds.
        case milliseconds
        /// Bytes.
        case bytes
        /// Segments.
        case segments
        /// Bytes a second.
        case bytesPerSecond
    }

    /// The options that both sides agreed on: the `TCPI_OPT_*` bits of `<linux/tcp.h>`.
    public struct Options: OptionSet, Hashable, Sendable {
        /// The bits, also those that this version does not know.
        public var rawValue: UInt8

        /// Options of any bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Timestamps (`TCPI_OPT_TIMESTAMPS`, RFC 7323).
        public static let timestamps = Options(rawValue: 1)
        /// Selective acknowledgements (`TCPI_OPT_SACK`, RFC 2018).
        public static let sack = Options(rawValue: 2)
        /// Window scaling (`TCPI_OPT_WSCALE`, RFC 7323).
        public static let windowScale = Options(rawValue: 4)
        /// Explicit congestion notification was negotiated (`TCPI_OPT_ECN`, RFC 3168).
        public static let ecn = Options(rawValue: 8)
        /// A packet with a mark of it was received (`TCPI_OPT_ECN_SEEN`).
        public static let ecnSeen = Options(rawValue: 16)
        /// The peer acknowledged data in this side's SYN (`TCPI_OPT_SYN_DATA`, RFC 7413).
        public static let synData = Options(rawValue: 32)
        /// Timestamps count microseconds (`TCPI_OPT_USEC_TS`, kernel 6.7).
        public static let microsecondTimestamps = Options(rawValue: 64)
        /// Made by Fast Open, on the server (`TCPI_OPT_TFO_CHILD`, kernel 6.14).
        public static let fastOpenChild = Options(rawValue: 128)
    }
}

/// A `struct tcp_info` read in place, for those who read many of its fields: a ``TCPInfo`` is copied for each.
@usableFromInline
package struct BorrowedTCPInfo: ~Escapable {
    @usableFromInline let bytes: RawSpan

    /// Reads the bytes of the attribute ``AttributeType/info``.
    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) { self.bytes = bytes }

    /// The field's number; nil where this kernel did not send it.
    @inlinable
    package subscript(_ field: TCPInfo.Field) -> UInt64? { field.value(in: bytes) }

    /// The negotiated options.
    package var options: TCPInfo.Options { TCPInfo.Options(rawValue: UInt8(truncatingIfNeeded: self[.options] ?? 0)) }
}

extension TCPInfo.Field: Hashable {
    /// Whether they are the same field.
    public static func == (left: TCPInfo.Field, right: TCPInfo.Field) -> Bool { left.name == right.name }

    /// Hashes the name.
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension TCPInfo: Hashable {
    /// Whether the kernel sent the same bytes.
    public static func == (left: TCPInfo, right: TCPInfo) -> Bool {
        left.byteCount == right.byteCount && left.words.indices.allSatisfy { left.words[$0] == right.words[$0] }
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(byteCount)
        for index in words.indices { hasher.combine(words[index]) }
    }
}
