import Glibc
import Testing

/// The running kernel's own structures, from the type information (BTF) that it publishes.
///
/// Source: `Documentation/bpf/btf.rst` and `<linux/btf.h>`.
struct KernelTypes {
    /// A member of a structure: where its bits begin, and how many they are.
    struct Member: Equatable, CustomStringConvertible {
        var name: String
        var bitOffset: Int
        var bitSize: Int
        var description: String { "\(name) \(bitOffset / 8).\(bitOffset % 8) +\(bitSize)" }
    }

    private static let path = "/sys/kernel/btf/vmlinux"
    private let bytes: [UInt8]
    /// Where each type begins; the number of a type is its place, beginning with 1.
    private var types: [Int] = []
    private let strings: Int

    /// The types, or the cancellation of the test where the kernel publishes none.
    init() throws {
        guard let bytes = contents(ofFile: Self.path), bytes.count > 24 else {
            try Test.cancel("the kernel has no type information (CONFIG_DEBUG_INFO_BTF)")
        }
        self.bytes = bytes
        func word(_ offset: Int) -> Int { Self.word(bytes, offset) }
        // struct btf_header: hdr_len, type_off, type_len, str_off
        let start = word(4) + word(8)
        strings = word(4) + word(16)
        var offset = start
        while offset < start + word(12) {
            types.append(offset)
            offset += 12 + Self.trailer(kind: word(offset + 4) >> 24 & 0x1f, count: word(offset + 4) & 0xffff)
        }
    }

    /// What follows the 12 bytes of a `struct btf_type`.
    private static func trailer(kind: Int, count: Int) -> Int {
        switch kind {
        case 1, 14, 17: 4  // INT, VAR, DECL_TAG
        case 3: 12  // ARRAY
        case 4, 5, 15, 19: 12 * count  // STRUCT, UNION, DATASEC, ENUM64
        case 6, 13: 8 * count  // ENUM, FUNC_PROTO
        default: 0
        }
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> Int {
        bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
    }

    private func word(_ offset: Int) -> Int { Self.word(bytes, offset) }

    private func isName(_ name: [UInt8], at offset: Int) -> Bool {
        let start = strings + word(offset)
        return bytes[start...].starts(with: name) && bytes[start + name.count] == 0
    }

    private func text(at offset: Int) -> String {
        String(decoding: bytes[(strings + word(offset))...].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The size in bytes and the members of a structure, in their order; nil where this kernel has none of that name.
    func structure(_ name: String) -> (size: Int, members: [Member])? {
        let utf8 = Array(name.utf8)
        guard let type = types.first(where: { word($0 + 4) >> 24 & 0x1f == 4 && isName(utf8, at: $0) }) else {
            return nil
        }
        let hasBitFields = word(type + 4) >> 31 == 1
        let members = (0..<(word(type + 4) & 0xffff)).map { index in
            let member = type + 12 + 12 * index
            let offset = word(member + 8)
            let bits = hasBitFields ? offset >> 24 : 0
            return Member(
                name: text(at: member),
                bitOffset: hasBitFields ? offset & 0xff_ffff : offset,
                bitSize: bits > 0 ? bits : 8 * size(of: word(member + 4))
            )
        }
        return (word(type + 8), members)
    }

    /// The size of a type in bytes.
    private func size(of number: Int) -> Int {
        let type = types[number - 1]
        switch word(type + 4) >> 24 & 0x1f {
        case 2: return 8  // PTR
        case 3: return size(of: word(type + 12)) * word(type + 20)  // ARRAY
        case 8...11, 18: return size(of: word(type + 8))  // TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG
        default: return word(type + 8)
        }
    }
}
