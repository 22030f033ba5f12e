internal import SockDiag
internal import TCPWatch

/// The records of `watch`: `socket`, `ready`, `transition` and `gap`. All pass the same names in the same order, so that the columns
/// of CSV depend on what is asked for alone.
struct EventDescription {
    /// What was lost, as a `gap` tells it.
    struct Loss {
        var source: Gap.Source
        var reason: String
        var count: UInt64?
        var namespace: NetworkNamespace?
    }

    /// Whether there are `socket` records among them.
    private let tellsSockets: Bool
    /// Whether there are those of `run` among them.
    private let tellsRun: Bool
    private var sockets: SocketDescription

    init(tellsSockets: Bool, tellsRun: Bool = false, details: SocketDetails, names: SocketNames) {
        self.tellsSockets = tellsSockets
        self.tellsRun = tellsRun
        sockets = SocketDescription(details: details, names: names)
    }

    /// Passes a record of the type: of a socket, of a step, of a loss, or one of `run`.
    mutating func describe(
        _ type: StaticString,
        time: EventTime? = nil,
        socket: WatchedSocket? = nil,
        step: Transition? = nil,
        loss: Loss? = nil,
        run: RunFields? = nil,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        let namespace = socket?.namespace ?? step?.namespace ?? loss?.namespace ?? run?.namespace
        sockets.names.namespace = namespace
        let identity = socket?.identity ?? step?.identity ?? run?.identity
        writer.begin(type)
        writer.add("time", time.map { .time($0.realtimeNanoseconds) })
        writer.add("monotonic_ns", time.map { .large($0.monotonicNanoseconds) })
        sockets.describe(identity, socket?.state ?? step?.to ?? run?.state, to: &writer)
        writer.add("from", step?.from.map { .text($0.description) })
        writer.add("to", step.map { .text($0.to.description) })
        writer.add("via", step.map { .words($0.via.map(\.description)) })
        writer.add("certainty", step.map { .text($0.certainty.rawValue) })
        writer.add("source", (step?.source.rawValue ?? loss?.source.rawValue).map { .text($0) })
        writer.add("incarnation", step.flatMap { $0.incarnation == 0 ? nil : .number(UInt32($0.incarnation)) })
        writer.add("cause", step?.cause.map { .text($0.word) })
        writer.add("reset_reason", step?.resetReason.map { .text($0.rawValue) })
        writer.add("pid", step?.pid.map { .number(UInt32(bitPattern: $0)) })
        writer.add("in_state_ns", step?.timeInState.map { .large($0.nanoseconds) })
        if tellsSockets {
            writer.add("recv_queue", socket.map { .number($0.receiveQueue) })
            writer.add("send_queue", socket.map { .number($0.sendQueue) })
        }
        writer.add("uid", (socket.map(\.uid) ?? step?.uid).map { .number($0) })
        writer.add("inode", (socket.map(\.inode) ?? step?.inode).map { .number($0) })
        writer.add("interface", identity?.interface.map { .text(sockets.names.name(of: $0)) })
        describe(step?.final ?? run?.counters, to: &writer)
        writer.add("reason", (loss?.reason ?? run?.reason).map { .text($0) })
        writer.add("lost", loss?.count.map { .number($0) })
        if sockets.details.contains(.processes) {
            writer.add("processes", (socket?.owners ?? step?.owners ?? run?.owners)?.nonEmpty.map { .owners($0) })
        }
        if sockets.details.contains(.namespace) { writer.add("netns", namespace.map { .text($0.label) }) }
        if tellsRun { RunFields.describe(run, to: &writer) }
        sockets.describeNames(of: identity, to: &writer)
        writer.end()
    }

    private func describe(_ final: FinalCounters?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("final")
        writer.add("bytes_sent", final?.bytesSent.map { .large($0) })
        writer.add("bytes_received", final?.bytesReceived.map { .large($0) })
        writer.add("segments_out", final?.segmentsOut.map { .number($0) })
        writer.add("segments_in", final?.segmentsIn.map { .number($0) })
        writer.add("retransmits", final?.retransmits.map { .number($0) })
        writer.add("rtt_us", final?.rttMicroseconds.map { .number($0) })
        writer.add("duration_ns", final?.duration.map { .large($0.nanoseconds) })
        writer.endObject()
    }
}
