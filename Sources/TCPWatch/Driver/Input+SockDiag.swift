internal import ConnectionTracking
internal import SockDiag

/// What the kernel's netlink messages say, as a tracker reads it.
extension SocketRow {
    /// A row of a dump or the answer of a lookup.
    init(_ record: borrowing some SocketFields & ~Escapable, matching: StateMask) {
        self.init(
            SocketName(record),
            record.state,
            isMinisocket: record.isMinisocket,
            inode: record.inode ?? 0,
            uid: record.uid,
            timer: record.timer?.milliseconds,
            matching: matching
        )
    }
}

extension SocketName {
    init(_ record: borrowing some SocketFields & ~Escapable) {
        let endpoints = Endpoints(
            local: record.address(at: InetDiagMessage.source).bits,
            UInt16(bigEndian: record.header(InetDiagMessage.sourcePort)),
            remote: record.address(at: InetDiagMessage.destination).bits,
            UInt16(bigEndian: record.header(InetDiagMessage.destinationPort)),
            interface: record.header(InetDiagMessage.interface)
        )
        self.init(record.cookie, endpoints, family: record.family)
    }
}

extension DestroyedSocket {
    /// A message that a socket was destroyed.
    init(_ record: borrowing some SocketFields & ~Escapable, _ verdict: FilterVerdict) {
        let info = record.tcpInfo
        // A socket that was aborted has been cleared: its counters say nothing.
        let isCleared = record.remote.port == 0 && info?[.segsIn] == 0
        self.init(
            SocketName(record),
            counters: isCleared ? nil : info.flatMap(SocketCounters.init),
            acknowledgedControls: Self.acknowledgedControls(info),
            idleMilliseconds: Self.idleMilliseconds(info),
            verdict
        )
    }

    /// 0 too where payload was not acknowledged.
    private static func acknowledgedControls(_ info: TCPInfo?) -> UInt64? {
        guard let info, let acknowledged = info[.bytesAcked], let sent = info[.bytesSent],
            let again = info[.bytesRetrans], sent >= again
        else { return nil }
        let payload = sent - again
        return acknowledged > payload ? acknowledged - payload : 0
    }

    /// The three ages count from the connection's establishment at most; where there was none, as after a connect that was
    /// refused, all of them from the boot: nothing is known then.
    private static func idleMilliseconds(_ info: TCPInfo?) -> UInt32? {
        guard let info else { return nil }
        let ages = [info[.lastDataSent], info[.lastDataRecv], info[.lastAckRecv]].compactMap { $0 }
        let wasEstablished = info[.rtt] != 0 || info[.bytesAcked] != 0 || Set(ages).count > 1
        return wasEstablished ? ages.min().map { UInt32(clamping: $0) } : nil
    }
}

extension SocketCounters {
    /// What the kernel measured; nil where it is too old to count the payload (before 4.19).
    init?(_ info: TCPInfo) {
        guard let sent = info[.bytesSent], let received = info[.bytesReceived] else { return nil }
        self.init()
        (bytesSent, bytesReceived) = (sent, received)
        segmentsOut = UInt32(clamping: info[.segsOut] ?? 0)
        segmentsIn = UInt32(clamping: info[.segsIn] ?? 0)
        retransmits = UInt32(clamping: info[.totalRetrans] ?? 0)
        rtt = UInt32(clamping: info[.rtt] ?? 0)
    }
}
