internal import CMnl
internal import LinuxLibC
package import SocketValues

/// The reader's end of a ring buffer: what programs have written is read in place, from memory shared with the kernel.
///
/// Source: `kernel/bpf/ringbuf.c` of the kernel: a page with the reader's position, one with the writers', then the
/// records, mapped twice in a row so that none is ever cut.
package struct RingBuffer: ~Copyable {
    package let descriptor: BPFDescriptor
    private let page: Int
    private let size: Int
    /// The position up to which has been read, which the kernel reads.
    private let consumer: UnsafeMutableRawPointer
    /// The position up to which has been reserved, which the kernel writes.
    private let producer: UnsafeMutableRawPointer

    /// `BPF_RINGBUF_BUSY_BIT`, `BPF_RINGBUF_DISCARD_BIT`, `BPF_RINGBUF_HDR_SZ` of `<linux/bpf.h>`
    private static let isBusy: UInt32 = 1 << 31
    private static let isDiscarded: UInt32 = 1 << 30
    private static let headerSize = 8

    /// - Throws: ``/SocketValues/KernelError``.
    package init(bytes: Int) throws(KernelError) {
        let descriptor = try BPFDescriptor.ring(bytes: bytes)
        let page = sysconf(Int32(_SC_PAGESIZE))
        let operation = "map the ring buffer"
        let consumer = mmap(nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.number, 0)
        guard let consumer, consumer != MAP_FAILED else { throw KernelError(bpf: errno, operation) }
        let producer = mmap(nil, page + 2 * bytes, PROT_READ, MAP_SHARED, descriptor.number, page)
        guard let producer, producer != MAP_FAILED else {
            let failure = KernelError(bpf: errno, operation)
            munmap(consumer, page)
            throw failure
        }
        self.descriptor = descriptor
        (self.page, size, self.consumer, self.producer) = (page, bytes, consumer, producer)
    }

    deinit {
        munmap(consumer, page)
        munmap(producer, page + 2 * size)
    }

    /// The share of the ring that is in use.
    package var fill: Double {
        Double(cmnl_load_acquire(producer) &- cmnl_load_acquire(consumer)) / Double(size)
    }

    /// Calls `body` with each record that is there, at most those that were there at the call; frees their room.
    ///
    /// One that a processor has begun and not finished ends it: the next call goes on there.
    ///
    /// - Returns: whether all that were there have been read.
    package func read(_ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        var position = cmnl_load_acquire(consumer)
        let end = cmnl_load_acquire(producer)
        let records = UnsafeRawPointer(producer) + page
        while position < end {
            let record = records + Int(position & UInt(size - 1))
            let header = cmnl_load_acquire32(record)
            if header & Self.isBusy != 0 { return false }
            let length = min(Int(header & ~Self.isDiscarded), size)
            if header & Self.isDiscarded == 0 {
                body(UnsafeRawBufferPointer(start: record + Self.headerSize, count: length))
            }
            position += UInt((length + Self.headerSize + 7) & ~7)
            cmnl_store_release(consumer, position)
        }
        return true
    }
}
