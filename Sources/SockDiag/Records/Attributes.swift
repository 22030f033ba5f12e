/// The attributes of a netlink message, or of an attribute that nests others, in place.
///
/// Source: `struct nlattr` of `<linux/netlink.h>`: length and type, 16 bits each, then the value, padded to 4 bytes.
@usableFromInline
package struct Attributes: ~Escapable {
    @usableFromInline let bytes: RawSpan

    @inlinable
    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) { self.bytes = bytes }

    /// The length of the header before each value.
    @usableFromInline static let headerSize = 4

    /// The attribute at an offset: its type without the flag bits, where its value lies, and where the next one begins.
    /// Nil where the bytes end or contradict themselves.
    @inlinable
    package func next(at offset: Int) -> (type: AttributeType, value: Range<Int>, next: Int)? {
        guard let length = bytes.number(at: offset, as: UInt16.self).map(Int.init),
            let type = bytes.number(at: offset + 2, as: UInt16.self),
            length >= Self.headerSize, offset + length <= bytes.byteCount
        else { return nil }
        return (
            AttributeType(rawValue: type & 0x3fff), (offset + Self.headerSize)..<(offset + length),
            offset + (length + 3) & ~3
        )
    }

    /// The value of the first attribute of a type.
    @inlinable
    @_lifetime(copy self)
    package func value(of type: AttributeType) -> RawSpan? {
        var offset = 0
        while let attribute = next(at: offset) {
            if attribute.type == type { return bytes.extracting(attribute.value) }
            offset = attribute.next
        }
        return nil
    }

    /// The number that the first attribute of a type holds.
    package func number<Number: FixedWidthInteger & BitwiseCopyable>(of type: UInt16) -> Number? {
        guard let value = value(of: AttributeType(rawValue: type)) else { return nil }
        return value.number(at: 0)
    }

    /// Calls `body` with each attribute in the order of the message.
    @inlinable
    package func forEach<Failure: Error>(
        _ body: (AttributeType, RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        var offset = 0
        while let attribute = next(at: offset) {
            try body(attribute.type, bytes.extracting(attribute.value))
            offset = attribute.next
        }
    }

    /// Whether the attributes fill the bytes to their end; what is left over would be lost.
    @inlinable
    package var areWellFormed: Bool {
        var offset = 0
        while offset < bytes.byteCount {
            guard let attribute = next(at: offset) else { return false }
            offset = attribute.next
        }
        return true
    }
}
