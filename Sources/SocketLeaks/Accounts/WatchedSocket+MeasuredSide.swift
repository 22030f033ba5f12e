package import SockDiag
package import TCPWatch

extension WatchedSocket {
    /// Which side opened the connection by the kernel's counters: of the acknowledged sequence numbers one is no payload
    /// where this side connected, because its SYN counts, and none where it was accepted. Unknown while something is not
    /// acknowledged, once this side has sent a FIN, and without `tcp_info`.
    package var measuredSide: OpeningSide {
        guard state == .established || state == .closeWait, let info = tcpInfo, info[.unacked] == 0,
            let acknowledged = info[.bytesAcked], let sent = info[.bytesSent], let again = info[.bytesRetrans]
        else { return .unknown }
        switch acknowledged &- (sent &- again) {
        case 0: return .passive
        case 1: return .active
        default: return .unknown
        }
    }
}
