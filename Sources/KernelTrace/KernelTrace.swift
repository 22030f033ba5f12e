internal import BPF
package import SockDiag

/// The kernel's tracepoints of TCP: a record for every transition of every socket, of all network namespaces or of some.
///
/// ```swift
/// let trace = try KernelTrace()
/// // … poll(2) on trace.descriptor …
/// _ = trace.read { print($0.cookie, $0.from, "→", $0.to) }
/// ```
///
/// Small programs run at the kernel's tracepoints and write into a ring buffer that is read in place. They are
/// assembled here, from where the running kernel's BTF says that members lie: it takes no compiler, no headers, no
/// library. They run until the value ends, or the process.
package struct KernelTrace: ~Copyable {
    private let ring: RingBuffer
    /// The number of records that did not fit into the ring, by event.
    private let lost: CounterArray
    private let attachments: Attachments
    /// The events that are not reported, with the reason: a tracepoint that this kernel lacks.
    package let missing: [TraceRecord.Event: KernelError]
    /// What ``TraceRecord/resetReason`` means, by the kernel's names without `SK_RST_REASON_`: `TCP_ABORT_ON_CLOSE`.
    package let resetReasons: [UInt32: String]

    /// A second of 100,000 events.
    package static let defaultRingSize = 16 << 20

    /// Loads the programs and attaches them. What happens from now on is delivered by ``read(_:)``.
    ///
    /// The ring has room for records of so many bytes: a power of two, at least a page.
    ///
    /// - Throws: ``/SockDiag/KernelError``: of code ``/SockDiag/KernelError/Code/missingCapability``,
    ///   ``/SockDiag/KernelError/Code/unsupported``, ``/SockDiag/KernelError/Code/kernelTooOld``; where the verifier
    ///   refuses a program, with what it says.
    package init(
        _ filter: TraceFilter = TraceFilter(),
        ringSize: Int = defaultRingSize,
        typesPath: String = BPFSupport.typesPath
    ) throws(KernelError) {
        try self.init(filter, ringSize: ringSize, types: BTF.ofKernel(naming: Listing.typeNames, path: typesPath))
    }

    init(_ filter: TraceFilter, ringSize: Int = defaultRingSize, types: BTF) throws(KernelError) {
        let ring = try RingBuffer(bytes: ringSize)
        let events = TraceRecord.Event.allCases
        let lost = try CounterArray(count: events.count)
        var attachments = Attachments()
        var missing: [TraceRecord.Event: KernelError] = [:]
        for event in events {
            do throws(KernelError) {
                let counters = lost.descriptor
                let listing = Listing(event, types, filter, ring: ring.descriptor.number, counters: counters)
                attachments.append(try listing.attach(), event)
            } catch {
                // Without transitions there is no tracing; whatever else is missing costs what it would have reported.
                guard event != .transition, error.code != .missingCapability else { throw error }
                missing[event] = error
            }
        }
        self.ring = ring
        self.lost = lost
        self.attachments = attachments
        self.missing = missing
        resetReasons = types.names(of: Listing.resetReasons).mapValues { name in
            let prefix = "SK_RST_REASON_"
            return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
        }
    }

    /// Readable while records wait: for `poll(2)`.
    package var descriptor: Int32 { ring.descriptor.number }

    /// Calls `body` with each record that waits; does not wait for more. Those of one connection come in order.
    ///
    /// - Returns: whether all that were there have been read; false where one is being written, and others wait behind
    ///   it.
    package func read(_ body: (borrowing TraceRecord) -> Void) -> Bool {
        ring.read { bytes in
            guard let record = TraceRecord(bytes.bytes) else { return }
            body(record)
        }
    }

    /// The share of the ring that is in use.
    package var fill: Double { ring.fill }

    /// The number of an event's occurrences that were passed over since the programs were attached, those among them that a
    /// filter leaves out: the kernel does not begin a program that an interrupt finds running on the same processor (kernel 6.1). It takes a
    /// system call.
    package func missedCount(of event: TraceRecord.Event) -> UInt64 { attachments.missedCount(of: event) }

    /// The exact number of an event's records that did not fit into the ring since the programs were attached.
    package func lostCount(of event: TraceRecord.Event) -> UInt64 {
        lost[Int(event.rawValue)]
    }
}

// Safe: the descriptors and the mappings belong to this value alone; what is shared with the kernel is read and written
// atomically. A value is used by one thread at a time, since it cannot be copied.
extension KernelTrace: @unchecked Sendable {}

/// A program and what keeps it running. A class, because a dictionary holds no values that cannot be copied.
private final class Attachment {
    let program: BPFDescriptor
    private let link: BPFDescriptor

    init(_ program: consuming BPFDescriptor, at tracepoint: String) throws(KernelError) {
        link = try BPFDescriptor.attachment(of: program, to: tracepoint)
        self.program = program
    }
}

private struct Attachments {
    private var all: [TraceRecord.Event: Attachment] = [:]

    mutating func append(_ attachment: Attachment, _ event: TraceRecord.Event) { all[event] = attachment }

    func missedCount(of event: TraceRecord.Event) -> UInt64 { all[event]?.program.missedCount ?? 0 }
}

extension Listing {
    /// Loads the program and runs it at its tracepoint.
    fileprivate func attach() throws(KernelError) -> Attachment {
        let tracepoint = event.tracepoint
        guard let type = types.number(of: event.typeName) else {
            throw KernelError(
                .unsupported,
                operation: "trace \(tracepoint)",
                detail: "this kernel has no such tracepoint",
                remedy: "watch without tracing"
            )
        }
        let program = try BPFDescriptor.program(Program(instructions()), type: type, for: .tracepoint(tracepoint))
        return try Attachment(program, at: tracepoint)
    }
}
