internal import SockDiag
internal import TCPWatch

/// The records of `watch` and `run`: all pass the same names in the same order, so that the columns of CSV depend on what
/// is asked for alone.
struct EventDescription {
    /// Whether there are `socket` records among them.
    private let reportsSockets: Bool
    /// Whether there are those of `run` among them.
    private let reportsRun: Bool
    var sockets: SocketDescription

    init(reportsSockets: Bool, reportsRun: Bool, details: SocketDetails, names: RecordNames) {
        self.reportsSockets = reportsSockets
        self.reportsRun = reportsRun
        sockets = SocketDescription(details: details, names: names)
    }

    /// Passes a record of the type: of a socket, of a transition, of a loss, or one of `run`.
    mutating func describe(
        _ type: StaticString,
        time: EventTime? = nil,
        socket: WatchedSocket? = nil,
        transition: Transition? = nil,
        retransmission: Retransmission? = nil,
        gap: Gap? = nil,
        run: RunFields? = nil,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        let namespace =
            socket?.namespace ?? transition?.namespace ?? retransmission?.namespace ?? gap?.namespace ?? run?.namespace
        let identity = socket?.identity ?? transition?.identity ?? retransmission?.identity ?? run?.identity
        writer.begin(type)
        sockets.describe(time, to: &writer)
        sockets.describe(identity, socket?.state ?? transition?.to ?? retransmission?.state ?? run?.state, to: &writer)
        writer.add("from", transition?.from.map { .text($0.description) })
        writer.add("to", transition.map { .text($0.to.description) })
        writer.add("via", transition.map { .words($0.via.map(\.description)) })
        writer.add("certainty", transition.map { .text($0.certainty.rawValue) })
        writer.add("kind", retransmission.map { .text($0.kind.rawValue) })
        writer.add("source", (transition?.source.rawValue ?? gap?.source.rawValue).map { .text($0) })
        let incarnation = transition?.incarnation ?? socket?.incarnation ?? 0
        writer.add("incarnation", incarnation == 0 ? nil : .number(incarnation))
        writer.add("cause", transition?.cause.map { .text($0.word) })
        writer.add("reset_reason", transition?.resetReason.map { .text($0.rawValue) })
        let pid = transition?.pid.map { UInt64(clamping: $0) }
        writer.add("pid", pid.map { .integer($0) })
        writer.add("pid_namespace", transition?.pidNamespace.map { .number($0) })
        writer.beginObject("by")
        writer.add("pid", pid.map { .integer($0) })
        writer.add("name", transition?.processName.map { .text($0.text) })
        writer.endObject()
        writer.add("undecided", transition.flatMap { $0.undecided.isEmpty ? nil : .words($0.undecided) })
        writer.add("in_state_ns", transition?.timeInState.map { .large($0.nanoseconds) })
        writer.add("open_ns", transition?.timeOpen.map { .large($0.nanoseconds) })
        if reportsSockets {
            writer.add("recv_queue", socket.map { .number($0.receiveQueue) })
            writer.add("send_queue", socket.map { .number($0.sendQueue) })
        }
        writer.add("uid", (socket.map(\.uid) ?? transition?.uid ?? retransmission?.uid).map { .number($0) })
        writer.add("inode", (socket.map(\.inode) ?? transition?.inode).map { .number($0) })
        writer.add("interface", identity.flatMap { sockets.name(of: $0.interface, in: namespace) })
        describe(transition?.final ?? run?.counters, to: &writer)
        writer.add("reason", (gap?.reason ?? run?.reason).map { .text($0) })
        writer.add("lost", gap?.lost.map { .number($0) })
        if sockets.details.contains(.processes) {
            let owners = socket?.owners ?? transition?.owners ?? retransmission?.owners ?? run?.owners
            writer.add("processes", owners?.nonEmpty.map { .owners($0) })
        }
        if sockets.details.contains(.namespace) { writer.add("netns", sockets.label(of: namespace)) }
        let opener = transition?.openedBy ?? run?.side
        if reportsRun {
            RunFields.describe(run, openedBy: opener, to: &writer)
        } else {
            writer.add("opened_by", (opener?.word).map { .text($0) })
        }
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
