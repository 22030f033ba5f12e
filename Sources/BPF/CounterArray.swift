internal import CMnl
internal import LinuxLibC
package import SocketValues

/// Counters that programs add to, read from memory shared with the kernel.
package struct CounterArray: ~Copyable {
    private let map: BPFDescriptor
    private let memory: UnsafeMutableRawPointer
    private let size: Int

    /// Makes so many counters, each 0: as many as a page holds at most.
    ///
    /// - Throws: ``/SocketValues/KernelError``.
    package init(count: Int) throws(KernelError) {
        let map = try BPFDescriptor.counters(count)
        let size = sysconf(Int32(_SC_PAGESIZE))
        let memory = mmap(nil, size, PROT_READ, MAP_SHARED, map.number, 0)
        guard let memory, memory != MAP_FAILED else {
            throw KernelError(bpf: errno, "map the counters of lost records")
        }
        (self.memory, self.size) = (memory, size)
        self.map = map
    }

    deinit { munmap(memory, size) }

    /// The map, for the programs that add to the counters, 8 bytes each.
    package var descriptor: Int32 { map.number }

    /// The counter now; its index is one of those that were made.
    package subscript(index: Int) -> UInt64 { UInt64(cmnl_load_acquire(memory + 8 * index)) }
}
