internal import CMnl
internal import LinuxLibC
internal import LinuxSystem
package import SocketValues

/// A map, a program or an attachment of the kernel's BPF; what it is ends when the value does, or the process.
package struct BPFDescriptor: ~Copyable {
    package let number: Int32

    private init(_ number: Int32) { self.number = number }

    /// Takes what a call has answered: a descriptor, or -1 and errno.
    private init(_ answer: Int32, _ operation: String) throws(KernelError) {
        guard answer >= 0 else { throw KernelError(bpf: errno, operation) }
        number = answer
    }

    deinit { close(number) }

    /// The number of times that a program was passed over because it was running already; 0 where the kernel does not
    /// report it.
    package var missedCount: UInt64 { cmnl_bpf_missed(number) }

    /// A ring buffer of so many bytes, a power of two.
    static func ring(bytes: Int) throws(KernelError) -> BPFDescriptor {
        let number = cmnl_bpf_map(BPF_MAP_TYPE_RINGBUF.rawValue, 0, 0, UInt32(clamping: bytes), 0)
        return try BPFDescriptor(number, "make a ring buffer of \(bytes) bytes")
    }

    /// An array of one value of so many bytes, which can be mapped into memory.
    static func array(bytes: Int, _ operation: String) throws(KernelError) -> BPFDescriptor {
        let size = UInt32(clamping: bytes)
        let number = cmnl_bpf_map(BPF_MAP_TYPE_ARRAY.rawValue, 4, size, 1, UInt32(BPF_F_MMAPABLE))
        return try BPFDescriptor(number, operation)
    }

    /// The place where a program runs: at a tracepoint, or for each object of an iterator of the kernel's; or nowhere, until
    /// it is called.
    package enum Place {
        case tracepoint(String)
        case iterator(String)
        /// By ``BPFDescriptor/run(_:_:)``; the name says what it is for.
        case call(String)

        fileprivate var attachType: bpf_attach_type {
            switch self {
            case .tracepoint: BPF_TRACE_RAW_TP
            case .iterator: BPF_TRACE_ITER
            case .call: bpf_attach_type(rawValue: 0)
            }
        }

        fileprivate var programType: bpf_prog_type {
            if case .call = self { BPF_PROG_TYPE_RAW_TRACEPOINT } else { BPF_PROG_TYPE_TRACING }
        }
    }

    /// Loads a program for the place whose type or function in BTF has the number; 0 for one that is called.
    ///
    /// - Throws: ``/SocketValues/KernelError``, with what the verifier said where it refused.
    package static func program(
        _ program: Program,
        type: Int,
        for place: Place
    ) throws(KernelError) -> BPFDescriptor {
        let words = program.words
        let count = UInt32(clamping: words.count)
        let operation = "load the program of the \(place)"
        let (family, kind) = (place.programType.rawValue, place.attachType.rawValue)
        // The log costs time: only what was refused is loaded once more, for the verifier to say why.
        let number = cmnl_bpf_load(family, words, count, kind, UInt32(clamping: type), nil, 0)
        guard number < 0 else { return BPFDescriptor(number) }
        let failure = errno
        var log = [CChar](repeating: 0, count: 256 * 1024)
        let second = cmnl_bpf_load(family, words, count, kind, UInt32(clamping: type), &log, UInt32(log.count))
        guard second < 0 else { return BPFDescriptor(second) }
        let text = String(decoding: log.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        throw KernelError(bpf: failure, operation, text)
    }

    /// Runs a program at its tracepoint.
    package static func attachment(
        of program: borrowing BPFDescriptor,
        to tracepoint: String
    ) throws(KernelError) -> BPFDescriptor {
        try BPFDescriptor(cmnl_bpf_attach(program.number), "attach to the tracepoint \(tracepoint)")
    }

    /// Runs a program that is to be called, once, in the calling thread: it is done when this returns.
    ///
    /// - Parameters:
    ///   - arguments: what the program finds in its context, 8 bytes each: 12 at most.
    ///   - operation: for errors, after "cannot".
    /// - Throws: ``/SocketValues/KernelError``.
    package borrowing func run(_ arguments: [UInt64], _ operation: String) throws(KernelError) {
        let size = UInt32(clamping: 8 * arguments.count)
        guard cmnl_bpf_run(number, arguments, size) == 0 else { throw KernelError(bpf: errno, operation) }
    }

    /// A file whose content a program of an iterator writes, object by object, as it is read.
    static func output(of program: borrowing BPFDescriptor) throws(KernelError) -> BPFDescriptor {
        let link = try BPFDescriptor(cmnl_bpf_link_iterator(program.number), "link a program to its iterator")
        return try BPFDescriptor(cmnl_bpf_begin_iterator(link.number), "begin an iterator")
    }
}

extension BPFDescriptor.Place: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tracepoint(let name): "tracepoint \(name)"
        case .iterator(let name): "iterator \(name)"
        case .call(let name): name
        }
    }
}

extension KernelError {
    /// A refusal of `bpf(2)`. Of the verifier's log, the last lines say what it objects to.
    package init(bpf errno: Int32, _ operation: String, _ log: String = "") {
        let lines = log.split(separator: "\n").filter { !$0.hasPrefix("processed ") }
        let detail = lines.suffix(Self.shownLines).joined(separator: " | ")
        switch errno {
        case EPERM:
            let privilege = BPFSupport.Requirement.privilege
            self.init(
                .missingCapability,
                errno: errno,
                operation: operation,
                remedy: "tracing needs \(privilege.description): \(privilege.remedy)"
            )
        case ENOSYS, EOPNOTSUPP, ENOTSUP:
            let remedy = "tracing needs \(BPFSupport.Requirement.kernel.description), with CONFIG_BPF_SYSCALL"
            self.init(.unsupported, errno: errno, operation: operation, detail: detail, remedy: remedy)
        case E2BIG, ENOMEM, ENOSPC:
            let remedy = "ask for a smaller ring, or for a filter of fewer terms"
            self.init(.system, errno: errno, operation: operation, detail: detail, remedy: remedy)
        default:
            let remedy = "watch without tracing"
            self.init(.invalidRequest, errno: errno, operation: operation, detail: detail, remedy: remedy)
        }
    }

    private static let shownLines = 4
}
