internal import CMnl
package import SocketValues

/// Counters that programs add to, read from memory shared with the kernel.
package struct CounterArray: ~Copyable {
    private let array: MappedArray

    /// Makes so many counters, each 0.
    ///
    /// - Throws: ``/SocketValues/KernelError``.
    package init(count: Int) throws(KernelError) {
        array = try MappedArray(bytes: 8 * count, purpose: "the counters of lost records", isWritable: false)
    }

    /// The map, for the programs that add to the counters, 8 bytes each.
    package var descriptor: Int32 { array.descriptor }

    /// The counter now; its index is one of those that were made.
    package subscript(index: Int) -> UInt64 { UInt64(cmnl_load_acquire(array.memory + 8 * index)) }
}
