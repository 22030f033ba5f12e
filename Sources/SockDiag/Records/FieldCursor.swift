/// Reads the fields of a structure of the kernel's one after the other, in the machine's byte order. Behind the end every
/// field is 0, and ``isCutShort`` is true.
struct FieldCursor: ~Escapable {
    private let bytes: RawSpan
    private var offset = 0
    /// Whether the bytes have ended before a field did.
    private(set) var isCutShort = false

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    mutating func next<Number: FixedWidthInteger & BitwiseCopyable>(as type: Number.Type = Number.self) -> Number {
        guard let number = bytes.number(at: offset, as: type) else {
            isCutShort = true
            return 0
        }
        offset += MemoryLayout<Number>.size
        return number
    }
}
