extension RawSpan {
    /// The number at an offset, in the machine's byte order; nil where the bytes end before it does.
    @inlinable
    package func number<Number: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int,
        as type: Number.Type = Number.self
    ) -> Number? {
        guard offset >= 0, offset <= byteCount - MemoryLayout<Number>.size else { return nil }
        return unsafeLoadUnaligned(fromByteOffset: offset, as: type)
    }

    /// The bytes as an array.
    @inlinable
    package func array() -> [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    /// The bytes up to the first NUL, as text.
    @usableFromInline
    package func text() -> String {
        withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
