/// A TCP option of a segment that the peer sends.
package struct SegmentOption: Hashable, Sendable {
    /// Kind, length and value, padded to a multiple of four bytes with NOPs in front.
    let bytes: [UInt8]

    /// An option of any kind.
    package init(kind: UInt8, value: [UInt8]) {
        let option = [kind, UInt8(value.count + 2)] + value
        bytes = [UInt8](repeating: 1, count: -option.count & 3) + option
    }

    /// The largest segment that the peer takes (RFC 9293, section 3.7.1); without it the kernel assumes 536.
    package static func maximumSegmentSize(_ bytes: UInt16) -> SegmentOption {
        SegmentOption(kind: 2, value: bytes.bigEndianBytes)
    }

    /// The peer's windows are to be shifted left by this (RFC 7323, section 2).
    package static func windowScale(_ shift: UInt8) -> SegmentOption { SegmentOption(kind: 3, value: [shift]) }

    /// The peer takes selective acknowledgements (RFC 2018).
    package static let sackPermitted = SegmentOption(kind: 4, value: [])

    /// The peer's clock, and the kernel's as last seen (RFC 7323, section 3).
    package static func timestamps(_ value: UInt32, echo: UInt32 = 0) -> SegmentOption {
        SegmentOption(kind: 8, value: value.bigEndianBytes + echo.bigEndianBytes)
    }
}
