import SockDiag

var client = try SockDiagClient()

// Only one state, and with the kernel's measurements of each connection.
let query = SocketQuery(states: .closeWait, extensions: .info)
let forgotten = try client.sockets(query)
    .map { (socket: $0, idle: $0.tcpInfo?[.lastDataRecv] ?? 0) }
    .sorted { $0.idle > $1.idle }

for (socket, idle) in forgotten {
    print("\(socket.local) ← \(socket.remote)  silent for \(idle) ms, uid \(socket.uid.map(String.init) ?? "unknown")")
}
print("\(forgotten.count) connections in \(TCPState.closeWait). \(TCPState.closeWait.meaning)")
