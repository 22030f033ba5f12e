/// An instruction of a BPF program, as its listing has it; ``Program`` makes the kernel's form of it.
///
/// Source: `Documentation/bpf/standardization/instruction-set.rst` of the kernel, `<linux/bpf.h>`.
package enum Instruction: Sendable {
    /// r0 is a call's result and the program's, r1 to r5 are arguments and lost in a call, r6 to r9 are kept, r10 is the
    /// end of the stack.
    package enum Register: UInt8, Sendable { case r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10 }

    /// The number of bytes that are loaded or stored: `BPF_B`, `BPF_H`, `BPF_W`, `BPF_DW`.
    package enum Width: UInt8, Sendable {
        case u8 = 0x10
        case u16 = 0x08
        case u32 = 0x00
        case u64 = 0x18

        /// That of so many bytes.
        package init?(bytes: Int) {
            switch bytes {
            case 1: self = .u8
            case 2: self = .u16
            case 4: self = .u32
            case 8: self = .u64
            default: return nil
            }
        }
    }

    /// What is done with a register and another one or a number: the upper four bits of the operation.
    package enum Operation: UInt8, Sendable {
        case add = 0x00
        case subtract = 0x10
        case multiply = 0x20
        case divide = 0x30
        case or = 0x40
        case and = 0x50
        case shiftLeft = 0x60
        case shiftRight = 0x70
        case modulo = 0x90
        case move = 0xb0
    }

    /// When to jump.
    package enum Condition: UInt8, Sendable {
        case equal = 0x10
        case greater = 0x20
        case greaterOrEqual = 0x30
        /// Some bit of both is set.
        case sharesBits = 0x40
        case notEqual = 0x50
        /// As numbers with a sign.
        case signedGreaterOrEqual = 0x70
    }

    /// `BPF_FUNC_*`
    package enum Helper: Int32, Sendable {
        case ktime_get_ns = 5
        case get_prandom_u32 = 7
        case get_current_pid_tgid = 14
        case get_socket_cookie = 46
        case jiffies64 = 118
        case seq_write = 127
        case ringbuf_reserve = 131
        case ringbuf_submit = 132
        case skc_to_tcp_sock = 137
        case get_current_task_btf = 158
    }

    /// The instruction that follows has this name.
    case label(String)
    /// to = *(width *)(from + offset)
    case load(Register, Width, from: Register, Int)
    /// *(width *)(to + offset) = from
    case store(Width, to: Register, Int, Register)
    /// *(width *)(to + offset) = number
    case storeNumber(Width, to: Register, Int, Int32)
    /// Adds a register to 8 bytes of memory, at once for all processors.
    case atomicAdd(to: Register, Int, Register)
    /// register = register OP number
    case compute(Register, Operation, Int32)
    /// register = register OP register
    case combine(Register, Operation, Register)
    /// register = the map of a descriptor
    case loadMap(Register, Int32)
    /// register = the address of a byte in the one element of an array map
    case loadMapValue(Register, Int32, Int32)
    /// The lower 16 bits alone, in the order of the network.
    case toNetworkOrder16(Register)
    case call(Helper)
    /// Calls a function of the kernel's that is open to programs (kfunc), by its number in BTF.
    case callFunction(Int)
    case jump(String)
    /// Goes on at the label where the register and the number compare so, both of 64 bits.
    case jumpIf(Register, Condition, Int32, String)
    /// The same of two registers.
    case jumpIfBoth(Register, Condition, Register, String)
    /// Compares the lower 32 bits with the number.
    case jumpIf32(Register, Condition, Int32, String)
    case exit

    package static func move(_ to: Register, _ from: Register) -> Instruction { .combine(to, .move, from) }
    package static func set(_ to: Register, _ number: Int32) -> Instruction { .compute(to, .move, number) }
}

/// A BPF program in the kernel's form: 8 bytes an instruction, of which loading an address takes two.
package struct Program {
    private(set) var words: [UInt64] = []

    /// Assembles a listing. A jump is forward or back to a label of it, which is there once.
    package init(_ listing: [Instruction]) {
        var labels: [String: Int] = [:]
        var length = 0
        for instruction in listing {
            switch instruction {
            case .label(let name): labels[name] = length
            case .loadMap, .loadMapValue: length += 2
            default: length += 1
            }
        }
        for instruction in listing { append(instruction, labels) }
    }

    private mutating func append(_ instruction: Instruction, _ labels: [String: Int]) {
        /// From the instruction behind this one. A label that is missing leads to this one, which the kernel refuses.
        func distance(_ label: String) -> Int { (labels[label] ?? words.count) - words.count - 1 }
        switch instruction {
        case .label: break
        case .load(let to, let width, let from, let offset): encode(0x61 | width.rawValue, to, from, offset)
        case .store(let width, let to, let offset, let from): encode(0x63 | width.rawValue, to, from, offset)
        case .storeNumber(let width, let to, let offset, let number):
            encode(0x62 | width.rawValue, to, .r0, offset, number)
        case .atomicAdd(let to, let offset, let from): encode(0xdb, to, from, offset)
        case .compute(let to, let operation, let number): encode(0x07 | operation.rawValue, to, .r0, 0, number)
        case .combine(let to, let operation, let from): encode(0x0f | operation.rawValue, to, from)
        case .loadMap(let to, let map): encodeAddress(to, source: 1, map, 0)  // BPF_PSEUDO_MAP_FD
        case .loadMapValue(let to, let map, let byte): encodeAddress(to, source: 2, map, byte)  // BPF_PSEUDO_MAP_VALUE
        case .toNetworkOrder16(let register): encode(0xdc, register, .r0, 0, 16)  // BPF_ALU | BPF_END | BPF_TO_BE
        case .call(let helper): encode(0x85, .r0, .r0, 0, helper.rawValue)
        // BPF_PSEUDO_KFUNC_CALL
        case .callFunction(let number): encode(0x85, .r0, .r2, 0, Int32(truncatingIfNeeded: number))
        case .jump(let label): encode(0x05, .r0, .r0, distance(label))
        case .jumpIf(let left, let condition, let number, let label):
            encode(0x05 | condition.rawValue, left, .r0, distance(label), number)
        case .jumpIfBoth(let left, let condition, let right, let label):
            encode(0x0d | condition.rawValue, left, right, distance(label))
        case .jumpIf32(let left, let condition, let number, let label):
            encode(0x06 | condition.rawValue, left, .r0, distance(label), number)
        case .exit: encode(0x95, .r0)
        }
    }

    /// `struct bpf_insn`: the operation, two registers in a byte, an offset and a number.
    private mutating func encode(
        _ operation: UInt8,
        _ to: Instruction.Register,
        _ from: Instruction.Register = .r0,
        _ offset: Int = 0,
        _ number: Int32 = 0
    ) {
        encode(operation, to.rawValue, from.rawValue, offset, number)
    }

    private mutating func encode(_ operation: UInt8, _ to: UInt8, _ from: UInt8, _ offset: Int, _ number: Int32) {
        #if _endian(little)
            let registers = from << 4 | to
        #else
            let registers = to << 4 | from
        #endif
        var word: UInt64 = 0
        withUnsafeMutableBytes(of: &word) { bytes in
            bytes[0] = operation
            bytes[1] = registers
            bytes.storeBytes(of: Int16(truncatingIfNeeded: offset), toByteOffset: 2, as: Int16.self)
            bytes.storeBytes(of: number, toByteOffset: 4, as: Int32.self)
        }
        words.append(word)
    }

    /// The double instruction, whose second half has the upper 32 bits of the number.
    private mutating func encodeAddress(_ to: Instruction.Register, source: UInt8, _ low: Int32, _ high: Int32) {
        encode(0x18, to.rawValue, source, 0, low)
        encode(0, 0, 0, 0, high)
    }
}
