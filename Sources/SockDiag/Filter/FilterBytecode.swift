internal import CMnl

/// A filter for the kernel: what of a program it can test, never hiding a socket that the program finds.
///
/// A test that the kernel does not have is taken to hold, or not to hold under a negation, which only ever lets more
/// sockets through; so the others still count. The program decides about what comes through.
///
/// Source: `INET_DIAG_REQ_BYTECODE`, `struct inet_diag_bc_op` and `struct inet_diag_hostcond` of `<linux/inet_diag.h>`.
/// An operation names how far to go on where it holds (`yes`, a byte) and where not (`no`, 16 bits). The kernel wants
/// every operation to be reached by `yes` alone, so that is always the next one, and other ways lead over a jump.
enum FilterBytecode {
    /// As many bytes as this go to the kernel; what does not fit is left to the program. Its check of the jumps takes
    /// time by the square: a millisecond for so many (`inet_diag_bc_audit()`).
    static let limit = 16 * 1024

    /// The operations: none where the kernel can rule no socket out, nil where no socket at all can be found.
    static func compile(_ program: FilterProgram) -> [UInt8]? {
        let steps = program.steps
        var size = 0
        let operations = steps.map { step -> [Operation] in
            let operations = Operation.tests(step.test)
            if !operations.isEmpty { size += operations.size + headSize }
            return size <= limit ? operations : []
        }
        // Which step stands for one: itself, or the one that is come to if the kernel does not test it.
        var standIn = Array(0..<steps.count + 2)
        for index in steps.indices.reversed() {
            let step = steps[index]
            let (yes, no) = (standIn[step.yes], standIn[step.no])
            if yes == no {
                standIn[index] = yes
            } else if let constant = step.test.constant {
                standIn[index] = constant ? yes : no
            } else if operations[index].isEmpty {
                standIn[index] = step.isNegated ? no : yes
            }
        }
        switch standIn[0] {
        case program.accept: return []
        case program.reject: return nil
        default: return assemble(program, standIn, operations)
        }
    }

    /// Writes the steps that can be reached, in their order.
    private static func assemble(_ program: FilterProgram, _ standIn: [Int], _ operations: [[Operation]]) -> [UInt8] {
        let steps = program.steps
        var isReached = [Bool](repeating: false, count: steps.count + 2)
        isReached[standIn[0]] = true
        for index in steps.indices where isReached[index] {
            isReached[standIn[steps[index].yes]] = true
            isReached[standIn[steps[index].no]] = true
        }
        let reached = steps.indices.filter { isReached[$0] }
        // Where each step begins. The end that accepts is the end of the bytes, the one that rejects lies 4 behind it.
        var offsets = [Int](repeating: 0, count: steps.count + 2)
        var end = 0
        for (position, index) in reached.enumerated() {
            offsets[index] = end
            let next = position + 1 < reached.count ? reached[position + 1] : program.accept
            end += operations[index].size + (standIn[steps[index].yes] == next ? 0 : headSize)
        }
        offsets[program.accept] = end
        offsets[program.reject] = end + headSize
        var bytes: [UInt8] = []
        bytes.reserveCapacity(end)
        for (position, index) in reached.enumerated() {
            let no = offsets[standIn[steps[index].no]]
            for operation in operations[index] { operation.append(to: &bytes, no: no - bytes.count) }
            let next = position + 1 < reached.count ? reached[position + 1] : program.accept
            let yes = standIn[steps[index].yes]
            if yes != next { Operation.jump.append(to: &bytes, no: offsets[yes] - bytes.count) }
        }
        return bytes
    }

    /// `sizeof(struct inet_diag_bc_op)`
    fileprivate static let headSize = 4
}

extension FilterBytecode {
    /// An operation's code and what follows its head.
    fileprivate struct Operation {
        let code: UInt8
        var data: [UInt8] = []

        /// The length with the head.
        var size: Int { FilterBytecode.headSize + data.count }

        func append(to bytes: inout [UInt8], no: Int) {
            bytes.append(code)
            bytes.append(UInt8(truncatingIfNeeded: size))
            bytes.append(number: UInt16(truncatingIfNeeded: no))
            bytes += data
        }
    }
}

extension FilterBytecode.Operation {
    /// `INET_DIAG_BC_CGROUP_COND`, which headers before 5.9 lack.
    private static let cgroupCondition = 13

    /// Always goes to `no`.
    fileprivate static let jump = Self(INET_DIAG_BC_JMP) { _ in }

    /// The operations that do a test, one after the other; none where the kernel has none for it.
    fileprivate static func tests(_ test: FilterTest) -> [Self] {
        switch test {
        case .host(let endpoint, let network, let port): [condition(endpoint, network, port)]
        case .number(.localPort, let least, let greatest):
            ports(.local, INET_DIAG_BC_S_GE, least, INET_DIAG_BC_S_LE, greatest)
        case .number(.remotePort, let least, let greatest):
            ports(.remote, INET_DIAG_BC_D_GE, least, INET_DIAG_BC_D_LE, greatest)
        case .interface(let index): [Self(INET_DIAG_BC_DEV_COND) { $0.append(number: index) }]
        case .mark(let mark, let mask):
            [
                Self(INET_DIAG_BC_MARK_COND) {
                    $0.append(number: mark)
                    $0.append(number: mask)
                }
            ]
        case .cgroup(let id): [Self(cgroupCondition) { $0.append(number: id) }]
        case .states, .number, .inode, .cookie, .external: []
        }
    }

    /// Ports between two bounds, each the second half of another head. One port alone is a condition, which kernels have
    /// had before `INET_DIAG_BC_S_EQ`.
    private static func ports(
        _ endpoint: SocketFilter.Endpoint,
        _ atLeast: Int,
        _ least: UInt64,
        _ atMost: Int,
        _ greatest: UInt64
    ) -> [Self] {
        let (least, greatest) = (UInt16(clamping: least), UInt16(clamping: greatest))
        guard least != greatest else { return [condition(endpoint, nil, least)] }
        var operations: [Self] = []
        if least > 0 { operations.append(Self(atLeast) { $0.append(port: least) }) }
        if greatest < .max { operations.append(Self(atMost) { $0.append(port: greatest) }) }
        return operations
    }

    private static func condition(_ endpoint: SocketFilter.Endpoint, _ network: IPNetwork?, _ port: UInt16?) -> Self {
        Self(endpoint == .local ? INET_DIAG_BC_S_COND : INET_DIAG_BC_D_COND) { data in
            data += [
                network?.address.family.rawValue ?? 0, UInt8(truncatingIfNeeded: network?.prefixLength ?? 0), 0, 0,
            ]
            data.append(number: port.map(Int32.init) ?? -1)
            guard let address = network?.address else { return }
            if address.family == .ipv6 {
                data.append(number: address.high.bigEndian)
                data.append(number: address.low.bigEndian)
            } else {
                data.append(number: UInt32(truncatingIfNeeded: address.low).bigEndian)
            }
        }
    }

    private init(_ code: Int, _ fill: (inout [UInt8]) -> Void) {
        self.code = UInt8(truncatingIfNeeded: code)
        fill(&data)
    }
}

extension [FilterBytecode.Operation] {
    fileprivate var size: Int { reduce(0) { $0 + $1.size } }
}

extension [UInt8] {
    /// Appends a number in the machine's byte order.
    fileprivate mutating func append(number: some FixedWidthInteger & BitwiseCopyable) {
        Swift.withUnsafeBytes(of: number) { append(contentsOf: $0) }
    }

    /// Appends an operation's head that holds a port and nothing else.
    fileprivate mutating func append(port: UInt16) {
        append(number: UInt16(0))
        append(number: port)
    }
}
