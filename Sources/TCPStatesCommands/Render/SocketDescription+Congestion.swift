internal import SockDiag

extension SocketDescription {
    /// Passes the congestion control algorithm, what it measures of itself under the kernel's names, and the protocol
    /// above TCP.
    func describeCongestion(
        of socket: borrowing some SocketFields & ~Escapable,
        to writer: inout some RecordWriter & ~Copyable
    ) {
        writer.add("congestion", socket.congestion.map { .text($0) })
        let info = socket.congestionInfo
        describe(info?.bbr, to: &writer)
        describe(info?.dctcp, to: &writer)
        describe(info?.vegas, to: &writer)
        let upper = socket.upperLayerProtocol
        writer.add("ulp", upper.map { .text($0.name) })
        describe(upper?.tls, to: &writer)
        describe(upper?.mptcp, to: &writer)
        let signatures = socket.md5Signatures
        writer.add("md5", signatures.isEmpty ? nil : .words(signatures.map(\.network)))
    }

    private func describe(_ tls: TLSInfo?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("tls")
        writer.add("version", tls?.versionName.map { .text($0) })
        writer.add("cipher", tls?.cipherName.map { .text($0) })
        writer.add("txconf", (tls?.transmit).map { .text(TLSInfo.name(ofConfiguration: $0)) })
        writer.add("rxconf", (tls?.receive).map { .text(TLSInfo.name(ofConfiguration: $0)) })
        writer.endObject()
    }

    private func describe(_ subflow: MPTCPSubflow?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("mptcp")
        writer.add("flags", (subflow?.flags).map { .text(MPTCPSubflow.letters(ofFlags: $0)) })
        writer.add("token_rem", (subflow?.remoteToken).map { .number($0) })
        writer.add("token_loc", (subflow?.localToken).map { .number($0) })
        writer.add("id_rem", (subflow?.remoteID).map { .number($0) })
        writer.add("id_loc", (subflow?.localID).map { .number($0) })
        writer.add("relwrite_seq", (subflow?.relativeWriteSequence).map { .number($0) })
        writer.add("map_seq", (subflow?.mapSequence).map { .large($0) })
        writer.add("map_sfseq", (subflow?.mapSubflowSequence).map { .number($0) })
        writer.add("ssn_offset", (subflow?.offset).map { .number($0) })
        writer.add("map_datalen", (subflow?.mapLength).map { .number($0) })
        writer.endObject()
    }

    private func describe(_ bbr: BBRInfo?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("bbr")
        writer.add("bw", bbr.map { .large($0.bandwidth) })
        writer.add("min_rtt", bbr.map { .number($0.minRTT) })
        writer.add("pacing_gain", bbr.map { .number($0.pacingGain) })
        writer.add("cwnd_gain", bbr.map { .number($0.cwndGain) })
        writer.endObject()
    }

    private func describe(_ dctcp: DCTCPInfo?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("dctcp")
        writer.add("enabled", dctcp.map { .flag($0.isEnabled) })
        writer.add("ce_state", dctcp.map { .number($0.ceState) })
        writer.add("alpha", dctcp.map { .number($0.alpha) })
        writer.add("ab_ecn", dctcp.map { .number($0.markedBytes) })
        writer.add("ab_tot", dctcp.map { .number($0.totalBytes) })
        writer.endObject()
    }

    private func describe(_ vegas: VegasInfo?, to writer: inout some RecordWriter & ~Copyable) {
        writer.beginObject("vegas")
        writer.add("enabled", vegas.map { .flag($0.isEnabled) })
        writer.add("rttcnt", vegas.map { .number($0.rttCount) })
        writer.add("rtt", vegas.map { .number($0.rtt) })
        writer.add("minrtt", vegas.map { .number($0.minRTT) })
        writer.endObject()
    }
}

extension CongestionInfo {
    /// What BBR tells, where it is BBR.
    var bbr: BBRInfo? { if case .bbr(let info) = self { info } else { nil } }
    /// What DCTCP tells, where it is DCTCP.
    var dctcp: DCTCPInfo? { if case .dctcp(let info) = self { info } else { nil } }
    /// What Vegas tells, or what answers in its form.
    var vegas: VegasInfo? { if case .vegas(let info) = self { info } else { nil } }
}
