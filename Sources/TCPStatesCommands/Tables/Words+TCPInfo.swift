internal import SockDiag
internal import TCPRecords

extension Words {
    /// Adds the kernel's measurements: times in milliseconds, and nothing that is as it always is.
    mutating func add(
        _ info: borrowing BorrowedTCPInfo,
        state: TCPState,
        congestion: String?,
        _ details: CongestionInfo?
    ) {
        addOptions(info, congestion)
        addTimes(info)
        addWindows(info)
        addCounters(info)
        if let details { add(details) }
        addRates(info)
        addLimits(info)
        // For a listener these two are its accept queue, which has columns of its own.
        if state != .listen { add("unacked", info[.unacked]) }
        addLosses(info, isListener: state == .listen)
        addReceiver(info)
    }

    private mutating func addOptions(_ info: borrowing BorrowedTCPInfo, _ congestion: String?) {
        let options = info.options
        if options.contains(.timestamps) { add("ts") }
        if options.contains(.sack) { add("sack") }
        if options.contains(.ecn) { add("ecn") }
        if options.contains(.ecnSeen) { add("ecnseen") }
        if options.contains(.synData) { add("fastopen") }
        if let congestion { add { $0.append(printable: congestion) } }
        guard options.contains(.windowScale) else { return }
        addPair("wscale", info[.sndWscale] ?? 0, info[.rcvWscale] ?? 0, ",") { $0.append(decimal: $1) }
    }

    private mutating func addTimes(_ info: borrowing BorrowedTCPInfo) {
        // Three seconds: nothing was measured yet (RFC 2988's first timeout).
        if info[.rto] != 3_000_000 { add("rto", microseconds: info[.rto]) }
        add("backoff", info[.backoff])
        if let rtt = info[.rtt], rtt != 0 {
            addPair("rtt", rtt, info[.rttvar] ?? 0, "/") { $0.append(thousandths: $1) }
        }
        add("ato", microseconds: info[.ato])
    }

    private mutating func addWindows(_ info: borrowing BorrowedTCPInfo) {
        add("mss", info[.sndMss])
        add("pmtu", info[.pmtu])
        add("rcvmss", info[.rcvMss])
        add("advmss", info[.advmss])
        add("cwnd", info[.sndCwnd])
        // Where slow start was never left, the threshold is a number too great to mean anything.
        if let threshold = info[.sndSsthresh], threshold < 0xffff { add("ssthresh", threshold) }
    }

    private mutating func addCounters(_ info: borrowing BorrowedTCPInfo) {
        add("bytes_sent", info[.bytesSent])
        add("bytes_retrans", info[.bytesRetrans])
        add("bytes_acked", info[.bytesAcked])
        add("bytes_received", info[.bytesReceived])
        add("segs_out", info[.segsOut])
        add("segs_in", info[.segsIn])
        add("data_segs_out", info[.dataSegsOut])
        add("data_segs_in", info[.dataSegsIn])
    }

    private mutating func addRates(_ info: borrowing BorrowedTCPInfo) {
        if let rtt = info[.rtt], rtt > 0, let window = info[.sndCwnd], let mss = info[.sndMss], window > 0, mss > 0 {
            // Both are 32-bit numbers: as floating point, their product and its bits a second cannot overflow.
            addRate("send ", Double(window) * Double(mss) * 1_000_000 / Double(rtt))
        }
        add("lastsnd", info[.lastDataSent])
        add("lastrcv", info[.lastDataRecv])
        add("lastack", info[.lastAckRecv])
        if let rate = info[.pacingRate], rate != 0, rate != .max {
            let limit = info[.maxPacingRate].flatMap { $0 == .max ? nil : $0 }
            add {
                $0.append("pacing_rate ")
                $0.append(bytesPerSecond: Double(rate))
                guard let limit else { return }
                $0.append(UInt8(ascii: "/"))
                $0.append(bytesPerSecond: Double(limit))
            }
        }
        if let rate = info[.deliveryRate], rate != 0 { addRate("delivery_rate ", Double(rate)) }
        add("delivered", info[.delivered])
        add("delivered_ce", info[.deliveredCe])
        if info[.deliveryRateAppLimited] == 1 { add("app_limited") }
    }

    private mutating func addLimits(_ info: borrowing BorrowedTCPInfo) {
        guard let busy = info[.busyTime], busy != 0 else { return }
        addTime("busy", busy, of: nil)
        if let limited = info[.rwndLimited], limited != 0 { addTime("rwnd_limited", limited, of: busy) }
        if let limited = info[.sndbufLimited], limited != 0 { addTime("sndbuf_limited", limited, of: busy) }
    }

    private mutating func addLosses(_ info: borrowing BorrowedTCPInfo, isListener: Bool) {
        let (now, total) = (info[.retrans] ?? 0, info[.totalRetrans] ?? 0)
        if now != 0 || total != 0 { addPair("retrans", now, total, "/") { $0.append(decimal: $1) } }
        add("lost", info[.lost])
        if !isListener { add("sacked", info[.sacked]) }
        add("dsack_dups", info[.dsackDups])
        add("fackets", info[.fackets])
        add("reordering", info[.reordering], unless: 3)
        add("reord_seen", info[.reordSeen])
    }

    private mutating func addReceiver(_ info: borrowing BorrowedTCPInfo) {
        add("rcv_rtt", microseconds: info[.rcvRtt])
        add("rcv_space", info[.rcvSpace])
        add("rcv_ssthresh", info[.rcvSsthresh])
        add("notsent", info[.notsentBytes])
        // All bits: no round trip was seen.
        if info[.minRtt] != 0xffff_ffff { add("minrtt", microseconds: info[.minRtt]) }
        add("rcv_ooopack", info[.rcvOoopack])
        add("snd_wnd", info[.sndWnd])
        add("rcv_wnd", info[.rcvWnd])
        add("rehash", info[.rehash])
        add("total_rto", info[.totalRto])
    }

    /// Adds what the congestion control algorithm measures of itself.
    private mutating func add(_ details: CongestionInfo) {
        switch details {
        case .bbr(let bbr):
            add {
                $0.append("bbr:(bw:")
                $0.append(bytesPerSecond: Double(bbr.bandwidth))
                $0.append(",mrtt:")
                $0.append(thousandths: UInt64(bbr.minRTT))
                $0.append(",pacing_gain:")
                $0.append(gain: bbr.pacingGain)
                $0.append(",cwnd_gain:")
                $0.append(gain: bbr.cwndGain)
                $0.append(UInt8(ascii: ")"))
            }
        case .dctcp(let dctcp):
            guard dctcp.isEnabled else { return add("dctcp:fallback_mode") }
            add {
                $0.append("dctcp:(ce_state:")
                $0.append(decimal: UInt64(dctcp.ceState))
                $0.append(",alpha:")
                $0.append(decimal: UInt64(dctcp.alpha))
                $0.append(",ab_ecn:")
                $0.append(decimal: UInt64(dctcp.markedBytes))
                $0.append(",ab_tot:")
                $0.append(decimal: UInt64(dctcp.totalBytes))
                $0.append(UInt8(ascii: ")"))
            }
        // What it measures is a round-trip time, and there is one.
        case .vegas: break
        }
    }
}

extension TextBuffer {
    /// Appends a gain, which BBR counts in 256ths: 739 is `2.886`.
    fileprivate mutating func append(gain: UInt32) {
        append(thousandths: UInt64(gain) * 1000 / 256)
    }
}
