@testable import SockDiag

/// The kernel's filter as its sources have it: the check of a program (`inet_diag_bc_audit()`) and its run
/// (`inet_diag_bc_run()`).
struct BytecodeMachine {
    let bytes: [UInt8]

    private struct Operation {
        let code, yes, no: Int
    }

    private func operation(_ offset: Int) -> Operation {
        Operation(code: Int(bytes[offset]), yes: Int(bytes[offset + 1]), no: number(offset + 2, UInt16.self))
    }

    private func number<Number: FixedWidthInteger>(_ offset: Int, _ type: Number.Type) -> Int {
        Int(truncatingIfNeeded: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) })
    }

    /// Why the kernel would refuse the program; nil where it takes it.
    var objection: String? {
        guard bytes.count >= 4 else { return "too short" }
        var reached: Set<Int> = []
        var offset = 0
        while offset < bytes.count {
            reached.insert(offset)
            guard offset % 4 == 0, bytes.count - offset >= 4 else { return "a head is cut short at \(offset)" }
            let operation = operation(offset)
            guard let size = size(operation.code, offset) else { return "no operation \(operation.code) at \(offset)" }
            guard offset + size <= bytes.count else { return "the operation at \(offset) is cut short" }
            let longest = bytes.count - offset + 4
            guard operation.yes >= size, operation.yes <= longest, operation.yes % 4 == 0 else {
                return "yes at \(offset)"
            }
            guard operation.no >= size, operation.no <= longest, operation.no % 4 == 0 else { return "no at \(offset)" }
            offset += operation.yes
        }
        guard offset == bytes.count else { return "the last operation does not lead to the end" }
        var from = 0
        while from < bytes.count {
            let target = from + operation(from).no
            guard target >= bytes.count || reached.contains(target) else { return "\(from) jumps to \(target)" }
            from += operation(from).yes
        }
        return nil
    }

    private func size(_ code: Int, _ offset: Int) -> Int? {
        switch code {
        case 1, 6: 4  // JMP, AUTO
        case 2...5, 11, 12: 8  // S_GE, S_LE, D_GE, D_LE, S_EQ, D_EQ
        case 7, 8: offset + 12 > bytes.count ? 12 : 12 + (bytes[offset + 4] == 2 ? 4 : bytes[offset + 4] == 10 ? 16 : 0)
        case 9: 8  // DEV_COND
        case 10, 13: 12  // MARK_COND, CGROUP_COND
        default: nil
        }
    }

    /// Whether the program lets a socket through.
    func passes(_ socket: FilterSocket) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let operation = operation(offset)
            offset += holds(operation.code, offset, socket) ? operation.yes : operation.no
        }
        return offset == bytes.count
    }

    private func holds(_ code: Int, _ offset: Int, _ socket: FilterSocket) -> Bool {
        let port = number(bytes.count - offset < 8 ? offset : offset + 6, UInt16.self)
        switch code {
        case 1: return false
        case 2: return Int(socket.local.port) >= port
        case 3: return Int(socket.local.port) <= port
        case 4: return Int(socket.remote.port) >= port
        case 5: return Int(socket.remote.port) <= port
        case 7: return isHost(offset + 4, socket, socket.local)
        case 8: return isHost(offset + 4, socket, socket.remote)
        case 9: return number(offset + 4, UInt32.self) == Int(socket.interface)
        case 10: return Int(socket.mark) & number(offset + 8, UInt32.self) == number(offset + 4, UInt32.self)
        case 13: return number(offset + 4, UInt64.self) == (socket.isMinisocket ? 0 : Int(socket.cgroup))
        default: return true
        }
    }

    private func isHost(_ offset: Int, _ socket: FilterSocket, _ endpoint: SocketEndpoint) -> Bool {
        let port = number(offset + 4, Int32.self)
        guard port == -1 || port == Int(endpoint.port) else { return false }
        let family = bytes[offset]
        let prefix = Int(bytes[offset + 1])
        let octets = endpoint.address.diagBytes
        if family != 0, family != socket.family.rawValue {
            guard socket.family == .ipv6, family == 2, octets[..<12] == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
            else {
                return false
            }
            return match(Array(octets[12...]), offset + 8, bits: prefix)
        }
        return prefix == 0 || match(octets, offset + 8, bits: prefix)
    }

    private func match(_ octets: [UInt8], _ offset: Int, bits: Int) -> Bool {
        (0..<bits).allSatisfy { bit in
            (octets[bit / 8] ^ bytes[offset + bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
        }
    }
}
