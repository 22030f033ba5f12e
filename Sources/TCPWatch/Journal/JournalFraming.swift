internal import SockDiag

/// How a journal's bytes lie in its file.
///
/// First what every version can read: a mark, the number of the format, and the version that wrote it. Then chunks: the
/// length of the payload, a check of that length, a check of the payload, and the payload. Each check goes on from the
/// one before, so that a chunk that is missing or in another's place is found. Numbers are little-endian.
enum JournalFraming {
    /// What a journal begins with: no text, and damaged by whatever converts line ends.
    static let mark: [UInt8] = [0x89, 0x54, 0x43, 0x50, 0x4a, 0x0d, 0x0a, 0x1a]  // "\x89TCPJ\r\n\x1a"
    /// The number of the format. It changes with everything that is written in another way.
    static let format: UInt8 = 4
    /// The length of what comes before the version: the mark, the format, the version's length.
    static let prefaceSize = mark.count + 2
    /// The length of what comes before a payload.
    static let chunkHeaderSize = 16
    /// A payload is written when it has grown so long.
    static let chunkSize = 64 * 1024
    /// No payload is longer.
    static let chunkLimit = 16 << 20

    /// The beginning of a file.
    static func preface(version: String) -> [UInt8] {
        let version = version.utf8.prefix(Int(UInt8.max))
        return mark + [format, UInt8(version.count)] + version
    }

    /// A number that depends on every bit of the bytes and of `seed`: FNV-1a of words of eight bytes, with the high bits
    /// brought down. Each step is a bijection, so that a change of one word is always found.
    static func checksum(of bytes: RawSpan, after seed: UInt64) -> UInt64 {
        var sum = mix(seed, UInt64(bytes.byteCount))
        var offset = 0
        while let word = bytes.number(at: offset, as: UInt64.self) {
            sum = mix(sum, UInt64(littleEndian: word))
            offset += 8
        }
        var rest: UInt64 = 0
        while let byte = bytes.number(at: offset, as: UInt8.self) {
            rest = rest << 8 | UInt64(byte)
            offset += 1
        }
        return mix(sum, rest)
    }

    /// The check of a payload's length.
    static func check(ofLength length: UInt32, after seed: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: mix(mix(seed, UInt64(length)), 0x6c65_6e67_7468) >> 32)
    }

    private static func mix(_ sum: UInt64, _ word: UInt64) -> UInt64 {
        let product = (sum ^ word) &* 0x0000_0100_0000_01b3
        return product ^ product >> 29
    }
}
