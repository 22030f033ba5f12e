import Glibc
import TCPStateLab
import Testing

@testable import SockDiag

/// Real sockets of every kind that a filter distinguishes, at rest in a namespace of their own.
final class FilterZoo {
    let lab: Lab
    var client: SockDiagClient
    /// What the namespace holds, with `tcp_info`.
    private(set) var sockets: [InetSocket] = []

    static let marks: [UInt32] = [1, 3, 0x8000_0001]

    init(in lab: Lab, client: consuming SockDiagClient) throws {
        self.lab = lab
        self.client = client
        let places = zip(LabNetwork.allCases, UInt16(0)...)
        // Chosen, though ports that the kernel could have chosen: before it chooses one of them for another socket.
        for (network, offset) in places { try lab.bound(over: network, port: 45000 + offset) }
        for (network, offset) in places { try populate(network, offset) }
        for network in [LabNetwork.ipv4, .ipv6, .ipv4Mapped] {
            let pair = try lab.loopbackPair(over: network)
            try pair.send([UInt8](repeating: 0, count: 5000), from: .client)
        }
        try dump()
    }

    /// Asks for the sockets anew.
    func dump() throws { sockets = try client.sockets(SocketQuery(extensions: .info)) }

    /// A zoo, or the cancellation of the test where the process may not make a namespace.
    static func open() throws -> FilterZoo {
        let lab = try Lab.orCancel()
        return try lab.run { try FilterZoo(in: lab, client: SockDiagClient()) }
    }

    private func populate(_ network: LabNetwork, _ offset: UInt16) throws {
        try lab.bound(over: network)
        for state: TCPState in [
            .synSent, .established, .finWait1, .finWait2, .closeWait, .closing, .lastAck, .timeWait,
        ] {
            try lab.client(in: state, over: network)
        }
        try lab.client(in: .finWait2, over: network).close()  // an orphan, which the kernel keeps as a minisocket
        let plain = try lab.listener(over: network, port: 80 + offset)
        let marked = try lab.listener(over: network, port: 8080 + offset)
        let onDevice = try lab.listener(over: network, port: 443 + offset)
        try marked.set(SOL_SOCKET, SO_MARK, Int32(bitPattern: Self.marks[2]))
        try onDevice.set(SOL_SOCKET, SO_BINDTOIFINDEX, Int32(bitPattern: deviceIndex()))
        for listener in [plain, marked, onDevice] {
            for state: TCPState in [.synReceived, .established, .closeWait, .timeWait, .lastAck] {
                let connection = try lab.server(in: state, over: network, on: listener)
                if listener !== onDevice, let socket = connection.socket, socket.descriptor != nil {
                    try socket.set(SOL_SOCKET, SO_MARK, Int32(bitPattern: Self.marks[state == .closeWait ? 1 : 0]))
                }
            }
            try lab.server(over: network, on: listener, accepted: false)
        }
    }

    /// The device at the kernel's end of the wire.
    private func deviceIndex() throws -> UInt32 {
        try #require(LabNetwork.linkLocal.kernelEndpoint(port: 0).scope).rawValue
    }

    /// What the kernel lets through, before anything is tested here.
    func passed(_ operations: [UInt8], states: TCPStateSet = .all) throws -> [InetSocket] {
        var sockets: [InetSocket] = []
        try client.walk(SocketQuery(states: states), operations: operations) { sockets.append(InetSocket($0)) }
        return sockets
    }
}

extension KernelSocket {
    func set(_ level: Int32, _ option: Int32, _ value: Int32) throws {
        let descriptor = try #require(descriptor)
        var value = value
        try #require(setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0)
    }
}

/// `SO_BINDTOIFINDEX` of `<asm-generic/socket.h>`
private let SO_BINDTOIFINDEX: Int32 = 62

/// What distinguishes one row of a dump from another.
struct SocketKey: Hashable, CustomStringConvertible {
    let cookie: SocketCookie
    let isMinisocket: Bool
    let description: String

    init(_ socket: InetSocket) {
        (cookie, isMinisocket) = (socket.cookie, socket.isMinisocket)
        description = "\(socket)"
    }
}
