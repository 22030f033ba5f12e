package import SockDiag
package import SocketValues

extension FinalCounters {
    /// What the kernel measured.
    package init(_ info: TCPInfo?) {
        self.init()
        bytesSent = info?[.bytesSent]
        bytesReceived = info?[.bytesReceived]
        segmentsOut = info?[.segsOut]
        segmentsIn = info?[.segsIn]
        retransmits = info?[.totalRetrans]
        rttMicroseconds = info?[.rtt]
    }
}
