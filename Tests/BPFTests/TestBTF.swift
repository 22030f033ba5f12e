/// Types as a compiler would describe them:
///
///     struct inner { int first; union { int low; struct { short half; char bits : 3; } }; };
///     struct outer { long pad; const inner_t in; struct outer *next; };
///     typedef struct inner inner_t;
///     enum reason { NONE, LATE = 7 };
enum TestBTF {
    static let inner = 5
    static let outer = 6
    static let alias = 7

    static var bytes: [UInt8] {
        var text: [UInt8] = [0]
        func name(_ string: String) -> UInt32 {
            defer { text += Array(string.utf8) + [0] }
            return UInt32(text.count)
        }
        func info(_ kind: UInt32, _ count: UInt32 = 0, bitFields: Bool = false) -> UInt32 {
            kind << 24 | count | (bitFields ? 1 << 31 : 0)
        }
        let words: [UInt32] = [
            name("int"), info(1), 4, 32,  // 1
            name("short"), info(1), 2, 16,  // 2
            0, info(4, 2, bitFields: true), 4, name("half"), 2, 0, name("bits"), 2, 3 << 24 | 16,  // 3
            0, info(5, 2), 4, name("low"), 1, 0, 0, 3, 0,  // 4
            name("inner"), info(4, 2), 8, name("first"), 1, 0, 0, 4, 32,  // 5
            name("outer"), info(4, 3), 24, name("pad"), 1, 0, name("in"), 8, 64, name("next"), 9, 128,  // 6
            name("inner_t"), info(8), 5,  // 7
            0, info(10), 7,  // 8: const inner_t
            0, info(2), 6,  // 9: struct outer *
            name("reason"), info(6, 2), 4, name("NONE"), 0, name("LATE"), 7,  // 10
        ]
        let header: [UInt32] = [24, 0, UInt32(4 * words.count), UInt32(4 * words.count), UInt32(text.count)]
        var bytes: [UInt8] = [0x9f, 0xeb, 1, 0]
        for word in header + words { withUnsafeBytes(of: word) { bytes += $0 } }
        return bytes + text
    }
}
