internal import CMnl
internal import LinuxLibC
package import SocketValues

/// Memory that a program and this process share: an array map of one value, mapped.
package struct MappedArray: ~Copyable {
    private let map: BPFDescriptor
    /// What the program and the process write.
    package let memory: UnsafeMutableRawPointer
    private let size: Int

    /// Makes so many bytes, each 0.
    ///
    /// - Parameters:
    ///   - bytes: how many there are at least.
    ///   - purpose: for errors, after "make" and "map".
    ///   - isWritable: whether this process may write them too.
    /// - Throws: ``/SocketValues/KernelError``.
    package init(bytes: Int, purpose: String, isWritable: Bool = true) throws(KernelError) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let size = (bytes + page - 1) / page * page
        let map = try BPFDescriptor.array(bytes: bytes, "make \(purpose)")
        let access = isWritable ? PROT_READ | PROT_WRITE : PROT_READ
        let memory = mmap(nil, size, access, MAP_SHARED, map.number, 0)
        guard let memory, memory != MAP_FAILED else { throw KernelError(bpf: errno, "map \(purpose)") }
        (self.memory, self.size) = (memory, size)
        self.map = map
    }

    deinit { munmap(memory, size) }

    /// The map, for programs.
    package var descriptor: Int32 { map.number }
}
