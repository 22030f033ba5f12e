internal import BPF
internal import KernelTrace
internal import SockDiag

extension TraceReader {
    /// The trace where it was asked for and is to be had, or why not.
    static func make(
        _ configuration: SocketWatcher.Configuration
    ) throws(KernelError) -> (trace: TraceReader?, refusal: KernelError?) {
        guard configuration.source != .poll else { return (nil, nil) }
        do throws(KernelError) {
            let support = BPFSupport.here()
            guard support.isComplete else { throw KernelError(tracing: support) }
            return (try TraceReader(try filter(configuration), ringSize: configuration.traceBufferSize), nil)
        } catch {
            guard configuration.source == .auto else { throw error }
            return (nil, error)
        }
    }

    /// What of the configuration the programs can test.
    private static func filter(_ configuration: SocketWatcher.Configuration) throws(KernelError) -> TraceFilter {
        if let filter = configuration.filter, !filter.isTraceable {
            throw KernelError(
                .invalidRequest,
                operation: "answer the filter by the trace",
                detail: "dumps alone tell what it asks for",
                remedy: "leave out the source, or watch by dumps"
            )
        }
        if configuration.source == .auto, configuration.filter?.asksOwners == true {
            throw KernelError(
                .invalidRequest,
                operation: "answer the filter by the trace",
                detail: "dumps tell better who holds a socket"
            )
        }
        var filter = TraceFilter()
        // Those that come later are not known yet: then the records of all are read.
        if !configuration.followsAllNamespaces {
            var namespaces = configuration.namespaces
            if namespaces.isEmpty { namespaces = [try NetworkNamespace.current] }
            filter.namespaces = namespaces.map { UInt32(truncatingIfNeeded: $0.inode) }
        }
        filter.family = configuration.family
        if let ports = configuration.filter?.necessaryPorts {
            (filter.localPorts, filter.remotePorts) = (ports.local, ports.remote)
        }
        filter.dropsOneOf = configuration.dropsOneRecordOf
        return filter
    }
}

extension SocketFilter {
    /// Whether it asks which process holds a socket.
    fileprivate var asksOwners: Bool {
        externals.contains { if case .networkNamespace = $0 { false } else { true } }
    }
}
