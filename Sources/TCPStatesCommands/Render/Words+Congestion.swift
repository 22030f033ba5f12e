internal import SockDiag

extension Words {
    /// Adds what the congestion control algorithm measures of itself.
    mutating func add(_ details: CongestionInfo) {
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
