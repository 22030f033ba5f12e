extension ArraySlice<UInt8> {
    /// A number in host byte order, or nil where the slice is too short.
    func load<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value? {
        guard offset + MemoryLayout<Value>.size <= count else { return nil }
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }

    /// A number in network order, or nil where the slice is too short.
    func bigEndian<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value? {
        load(at: offset, as: type).map(Value.init(bigEndian:))
    }
}

extension FixedWidthInteger {
    /// The bytes in network order.
    var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger) { self += value.bigEndianBytes }

    /// Writes the checksum of RFC 1071 over the given bytes.
    mutating func setChecksum(at offset: Int, over bytes: [UInt8]) {
        var sum: UInt64 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt64(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt64(bytes[index + 1]) : 0)
        }
        while sum >> 16 != 0 { sum = (sum & 0xffff) + sum >> 16 }
        replaceSubrange(offset..<offset + 2, with: UInt16(~sum & 0xffff).bigEndianBytes)
    }
}
