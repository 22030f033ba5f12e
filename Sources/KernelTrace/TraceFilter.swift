package import SockDiag

/// Which events are worth a record: tested by the programs, before anything is written.
package struct TraceFilter: Hashable, Sendable {
    /// The network namespaces, by ``/SockDiag/NetworkNamespace/inode``; empty for all. More than
    /// ``maximumNamespaces`` are not distinguished.
    package var namespaces: [UInt32] = []
    /// Only sockets of this family; nil for both.
    package var family: AddressFamily?
    /// Only sockets with one of these local ports, or one of ``remotePorts``; where both are empty, any. A local port
    /// that the kernel has not chosen yet may become one of them.
    package var localPorts: Set<UInt16> = []
    /// See ``localPorts``.
    package var remotePorts: Set<UInt16> = []
    /// The PID namespace by whose numbers processes are reported, by the number of its file; nil for the first one.
    package var pidNamespace: UInt32?
    /// Whether each segment that is sent again has a record, and not the SYNs and SYN+ACKs alone.
    package var reportsRetransmissions = false
    /// In a debug build, drops one record of so many unseen and uncounted, to test what finds it; 0 drops none.
    package var dropsOneOf: Int32 = 0

    /// A test takes an instruction for each; beyond this, the records are sorted by who reads them.
    static let maximumNamespaces = 64
    /// Ports beyond this are not tested by the programs.
    static let maximumPorts = 64

    package init() {}
}
