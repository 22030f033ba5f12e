import SockDiag

/// Reads every field that a socket can have, decoded as far as possible, so that none is left untried.
func everything<Fields: SocketFields & ~Escapable>(of socket: borrowing Fields) -> [String] {
    var values = [
        "\(socket.family)", "\(socket.state)", "\(socket.local)", "\(socket.remote)", "\(socket.cookie)",
        "\(String(describing: socket.interface)) \(String(describing: socket.timer)) \(socket.retransmits)",
        "\(socket.receiveQueue) \(socket.sendQueue) \(socket.isMinisocket) \(socket.identity)",
        "\(String(describing: socket.inode)) \(String(describing: socket.uid))",
        "\(String(describing: socket.memory)) \(String(describing: socket.queueMemory))",
        "\(String(describing: socket.congestion)) \(String(describing: socket.congestionInfo))",
        "\(String(describing: socket.tos)) \(String(describing: socket.trafficClass))",
        "\(String(describing: socket.shutdown)) \(String(describing: socket.isIPv6Only))",
        "\(String(describing: socket.mark)) \(String(describing: socket.classID))",
        "\(String(describing: socket.cgroupID)) \(String(describing: socket.options))",
        "\(String(describing: socket.innerProtocol)) \(String(describing: socket.upperLayerProtocol))",
        "\(socket.md5Signatures)",
    ]
    if let info = socket.tcpInfo {
        values.append("\(info.byteCount) \(info.options) \(info.hashValue)")
        values += TCPInfo.Field.allCases.map { "\($0.name) \(String(describing: info[$0]))" }
    }
    socket.forEachAttribute { type, value in values.append("\(type) \(value.array())") }
    return values
}
