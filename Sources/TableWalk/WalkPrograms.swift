internal import BPF
internal import LinuxSystem
package import SocketValues

/// The listings of a walk's programs for the running kernel. To make them its types have to be read, which takes some
/// milliseconds; to load them takes less than one.
package struct WalkPrograms: Sendable {
    let counts: [Instruction]
    let rows: [Instruction]
    /// Nil where a dump shows no sockets without a connection: before 6.8.
    let bound: [Instruction]?

    /// Makes them.
    ///
    /// - Throws: ``/SocketValues/KernelError`` where the kernel has no types, not those functions (before 6.4), or other
    ///   structures.
    package init(typesPath: String? = nil) throws(KernelError) {
        try self.init(KernelLayout(path: typesPath ?? BPFSupport.typesPath), tick: SystemClock.tick)
    }

    init(_ layout: KernelLayout, tick: UInt64) throws(KernelError) {
        counts = try WalkListing(layout: layout, purpose: .counts, tick: tick).instructions()
        rows = try WalkListing(layout: layout, purpose: .rows, tick: tick).instructions()
        bound = BoundListing.isKnown(to: layout) ? try BoundListing(layout: layout).instructions() : nil
    }
}
