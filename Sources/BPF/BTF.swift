internal import LinuxLibC
internal import LinuxSystem
package import SocketValues

/// The kernel's description of its own types: where the members of its structures lie, and the numbers of types.
///
/// ```swift
/// let types = try BTF.ofKernel(naming: ["sock"])
/// types.member("sock", "__sk_common.skc_family")  // offset 16, 2 bytes
/// ```
///
/// It is read in one pass. Of the kernel's 126,000 types only those of the given names are remembered; each number in
/// the bytes is checked before it leads anywhere.
///
/// Source: `struct btf_header`, `struct btf_type` and what follows them in `<linux/btf.h>`.
package struct BTF: Sendable {
    /// The place of a member in its structure, bytes.
    package struct Member: Hashable, Sendable {
        package let offset: Int
        package let size: Int
    }

    /// `struct btf_type`; the fields of one that is cut short are 0.
    private struct Record {
        let position: Int
        let name: Int
        let kind: Kind
        /// The number of members, parameters or values.
        let count: Int
        let sizeOrType: Int

        static let size = 12
    }

    /// `BTF_KIND_*`
    private struct Kind: RawRepresentable, Hashable {
        let rawValue: UInt32

        static let pointer = Kind(rawValue: 2)
        static let array = Kind(rawValue: 3)
        static let structure = Kind(rawValue: 4)
        static let union = Kind(rawValue: 5)
        static let enumeration = Kind(rawValue: 6)
        static let typedef = Kind(rawValue: 8)
        static let function = Kind(rawValue: 12)

        /// Whether it is asked for by its name.
        var isWanted: Bool {
            self == .structure || self == .enumeration || self == .typedef || self == .function
        }
        var hasMembers: Bool { self == .structure || self == .union }
        /// typedef, volatile, const, restrict, type tag: another type by another name.
        var isAlias: Bool { (8...11).contains(rawValue) || rawValue == 18 }
        /// integer, structure, union, enumerations, floating point
        var hasSize: Bool { [1, 4, 5, 6, 16, 19].contains(rawValue) }

        /// The number of bytes that follow the record; nil for a kind that this version does not know.
        func trailer(_ count: Int) -> Int? {
            switch rawValue {
            case 1, 14, 17: 4
            case 2, 7...12, 16, 18: 0
            case 3: 12
            case 4, 5, 15, 19: 12 * count
            case 6, 13: 8 * count
            default: nil
            }
        }
    }

    private let bytes: [UInt8]
    private let strings: Range<Int>
    /// The position of each type, by its number.
    private var positions: [UInt32] = [0]
    /// The numbers of the types and functions that were asked for.
    private var numbers: [String: Int] = [:]

    /// Types within each other; no kernel has as many.
    private static let maximumDepth = 16

    /// The running kernel's types.
    ///
    /// - Throws: ``/SocketValues/KernelError``, of code ``/SocketValues/KernelError/Code/unsupported`` where it has none.
    package static func ofKernel(
        naming names: [String],
        path: String = BPFSupport.typesPath
    ) throws(KernelError) -> BTF {
        let file: [UInt8]
        do throws(Errno) {
            file = try OpenFile.whole(path)
        } catch {
            throw KernelError(
                .unsupported,
                errno: error.rawValue,
                operation: "read the kernel's types in \(path)",
                remedy: "tracing needs \(BPFSupport.Requirement.types.description)"
            )
        }
        return try BTF(file, naming: names)
    }

    /// Reads types from their bytes, and remembers the structures, enumerations, typedefs and functions of these
    /// names.
    ///
    /// - Throws: ``/SocketValues/KernelError`` of code ``/SocketValues/KernelError/Code/malformedReply`` where the bytes are
    ///   cut short or are no BTF of this machine.
    package init(_ file: [UInt8], naming names: [String]) throws(KernelError) {
        bytes = file
        let span = file.span.bytes
        guard span.number(at: 0, as: UInt16.self) == 0xeb9f else { throw .malformed("they do not begin as BTF does") }
        func header(_ offset: Int) throws(KernelError) -> Int {
            guard let number = span.number(at: offset, as: UInt32.self) else { throw .malformed("the header is cut") }
            return Int(number)
        }
        // magic, version, flags; then the lengths and offsets.
        let base = try header(4)
        let types = base + (try header(8))
        let end = types + (try header(12))
        let text = base + (try header(16))
        strings = text..<(text + (try header(20)))
        guard end <= file.count, strings.upperBound <= file.count, !strings.isEmpty, file[strings.upperBound - 1] == 0
        else { throw .malformed("they are cut short") }
        let wanted = names.map { Array($0.utf8) }
        positions.reserveCapacity((end - types) / 24)
        var position = types
        while position < end {
            guard let record = record(at: position), let trailer = record.kind.trailer(record.count),
                position + Record.size + trailer <= end
            else { throw .malformed("type \(positions.count) is cut short, or of a kind that is not known") }
            if record.kind.isWanted {
                for index in wanted.indices where isName(record.name, wanted[index]) {
                    numbers[names[index]] = positions.count
                }
            }
            positions.append(UInt32(truncatingIfNeeded: position))
            position += Record.size + trailer
        }
    }

    /// The number of a type or function, of those that were asked for; nil where the kernel has none.
    package func number(of name: String) -> Int? { numbers[name] }

    /// The number of bytes of a structure, of those that were asked for; nil where the kernel has none.
    package func size(_ structure: String) -> Int? { numbers[structure].flatMap { size(of: $0) } }

    /// A member by its path, as `__sk_common.skc_net.net`: through anonymous structures too, and no pointers. Nil where
    /// there is none, or it is a bit field.
    package func member(_ structure: String, _ path: String) -> Member? {
        guard var type = numbers[structure] else { return nil }
        var offset = 0
        for name in path.split(separator: ".") {
            guard let step = find(Array(name.utf8), in: type, depth: 0) else { return nil }
            offset += step.offset
            type = step.type
        }
        return size(of: type).map { Member(offset: offset, size: $0) }
    }

    /// Where a member of a structure lies that is an array, of which ``member(_:_:)`` knows no size.
    package func offset(_ structure: String, _ name: String) -> Int? {
        numbers[structure].flatMap { find(Array(name.utf8), in: $0, depth: 0)?.offset }
    }

    /// The names of an enumeration's values, which may have other numbers in another kernel; empty where there is none.
    package func names(of enumeration: String) -> [UInt32: String] {
        guard let type = numbers[enumeration], let record = resolve(type), record.kind == .enumeration else {
            return [:]
        }
        var names: [UInt32: String] = [:]
        for index in 0..<record.count {
            // struct btf_enum: name, value
            let value = record.position + Record.size + 8 * index
            guard let name = bytes.span.bytes.number(at: value, as: UInt32.self),
                let number = bytes.span.bytes.number(at: value + 4, as: UInt32.self)
            else { break }
            names[number] = string(at: Int(name))
        }
        return names
    }

    /// Where an array that ends a structure lies, of as many elements as each value has (`numbers[]`); nil where there is
    /// none, or it has a number of elements in the type, beyond which the verifier lets no program read.
    package func flexibleArray(_ structure: String, _ name: String) -> (offset: Int, elementSize: Int)? {
        // struct btf_array: type, index_type, nelems
        guard let type = numbers[structure], let member = find(Array(name.utf8), in: type, depth: 0),
            let array = resolve(member.type), array.kind == .array,
            bytes.span.bytes.number(at: array.position + Record.size + 8, as: UInt32.self) == 0,
            let element = bytes.span.bytes.number(at: array.position + Record.size, as: UInt32.self),
            let size = size(of: Int(element))
        else { return nil }
        return (member.offset, size)
    }

    private func find(_ name: [UInt8], in type: Int, depth: Int) -> (offset: Int, type: Int)? {
        guard depth < Self.maximumDepth, let record = resolve(type), record.kind.hasMembers else { return nil }
        let span = bytes.span.bytes
        let hasBitFields = (span.number(at: record.position + 4, as: UInt32.self) ?? 0) >> 31 == 1
        for index in 0..<record.count {
            // struct btf_member: name, type, offset in bits; below the size of a bit field where there are some.
            let member = record.position + Record.size + 12 * index
            guard let memberName = span.number(at: member, as: UInt32.self).map(Int.init),
                let memberType = span.number(at: member + 4, as: UInt32.self).map(Int.init),
                let place = span.number(at: member + 8, as: UInt32.self)
            else { return nil }
            let bits = Int(hasBitFields ? place & 0xff_ffff : place)
            if isName(memberName, name) {
                return hasBitFields && place >> 24 != 0 ? nil : (bits / 8, memberType)
            }
            if isName(memberName, []), let found = find(name, in: memberType, depth: depth + 1) {
                return (bits / 8 + found.offset, found.type)
            }
        }
        return nil
    }

    private func size(of type: Int) -> Int? {
        guard let record = resolve(type) else { return nil }
        if record.kind == .pointer { return MemoryLayout<UInt64>.size }
        return record.kind.hasSize ? record.sizeOrType : nil
    }

    /// The type behind typedefs and qualifiers.
    private func resolve(_ type: Int) -> Record? {
        var type = type
        for _ in 0..<Self.maximumDepth {
            guard type > 0, type < positions.count, let record = record(at: Int(positions[type])) else { return nil }
            guard record.kind.isAlias else { return record }
            type = record.sizeOrType
        }
        return nil
    }

    private func record(at position: Int) -> Record? {
        let span = bytes.span.bytes
        guard let name = span.number(at: position, as: UInt32.self),
            let info = span.number(at: position + 4, as: UInt32.self),
            let sizeOrType = span.number(at: position + 8, as: UInt32.self)
        else { return nil }
        return Record(
            position: position,
            name: Int(name),
            kind: Kind(rawValue: info >> 24 & 0x1f),
            count: Int(info & 0xffff),
            sizeOrType: Int(sizeOrType)
        )
    }

    private func string(at offset: Int) -> String {
        let start = min(strings.lowerBound + offset, strings.upperBound)
        return String(decoding: bytes[start..<strings.upperBound].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Whether the string at an offset is the name.
    private func isName(_ offset: Int, _ name: [UInt8]) -> Bool {
        let start = strings.lowerBound + offset
        guard start + name.count < strings.upperBound, bytes[start + name.count] == 0 else { return false }
        for index in name.indices where bytes[start + index] != name[index] { return false }
        return true
    }
}

extension KernelError {
    fileprivate static func malformed(_ detail: String) -> KernelError {
        KernelError(.malformedReply, operation: "read the kernel's types", detail: detail)
    }
}
