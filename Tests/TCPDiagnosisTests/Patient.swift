internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

/// A laboratory that is examined from outside.
struct Patient {
    let lab: Lab
    let namespace: NetworkNamespace
    private let open = OpenDescriptors()

    init() throws {
        lab = try Lab.orCancel()
        namespace = try NetworkNamespace(path: lab.namespace.path)
    }

    /// What is found when `body` has run between two snapshots.
    func findings(
        _ thresholds: Thresholds = Thresholds(),
        after body: () throws -> Void = {}
    ) throws -> [Finding] {
        var doctor = try Doctor(of: namespace, thresholds: thresholds)
        try body()
        return try doctor.examine()
    }

    /// How many of so many honest clients get to ESTABLISHED.
    func connected(_ count: Int, to listener: KernelSocket, over network: LabNetwork = .ipv4) throws -> Int {
        var endpoints: Set<SocketEndpoint> = []
        for _ in 0..<count {
            let peer = try lab.peer(of: listener, over: network)
            try peer.send(.syn)
            guard try peer.unread().contains(where: { $0.flags.isSuperset(of: .synAck) }) else { continue }
            try peer.send(.ack)
            // Those of /proc have no interface.
            endpoints.insert(SocketEndpoint(peer.endpoint.address, port: peer.port))
        }
        return try lab.procNetTCP().filter { $0.state == .established && endpoints.contains($0.remote) }.count
    }

    /// SYNs of clients that never go on.
    func sendSYNs(_ count: Int, to listener: KernelSocket, over network: LabNetwork = .ipv4) throws {
        for _ in 0..<count { try lab.peer(of: listener, over: network).send(.syn) }
    }

    /// Runs a command that was recommended, as it was printed.
    func follow(_ remedy: Finding.Remedy?) throws {
        let command = try #require(remedy?.command)
        #expect(command.contains(namespace.label), "it is for another namespace: \(command)")
        try run(command)
    }

    /// Runs a shell's command that has to succeed.
    func run(_ command: String) throws {
        let output = try Program.shell("\(command) || echo failed")
        // tcpdump becomes another user, of whom there is none in a user namespace.
        let reasons = ["not found", "No such file", "Couldn't change to"]
        if let line = output.first(where: { line in reasons.contains { line.contains($0) } }) {
            throw MissingProgram(line: line)
        }
        try #require(!output.contains("failed"), "\(command): \(output)")
    }

    /// Opens an IPv4 connection within the namespace; the descriptor, or the errno. With a source the socket is bound to it
    /// before, and its port is chosen then; where it `choosesLate`, by connect() (IP_BIND_ADDRESS_NO_PORT).
    func connect(
        to endpoint: SocketEndpoint,
        from source: IPAddress? = nil,
        choosesLate: Bool = false
    ) -> Result<Int32, Refusal> {
        lab.run {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var status: Int32 = 0
            if choosesLate { status = setOption(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1) }
            if status == 0, let source {
                status = call(SocketEndpoint(source, port: 0)) { bind(descriptor, $0, $1) }
            }
            if status == 0 { status = call(endpoint) { Glibc.connect(descriptor, $0, $1) } }
            guard status != 0 else { return .success(descriptor) }
            let failure = errno
            close(descriptor)
            return .failure(Refusal(errno: failure))
        }
    }

    private func call(
        _ endpoint: SocketEndpoint,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = endpoint.port.bigEndian
        inet_pton(AF_INET, "\(endpoint.address)", &address.sin_addr)
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// The descriptor, which stays open as long as the patient.
    @discardableResult
    func kept(_ descriptor: Int32) -> Int32 {
        open.all.append(descriptor)
        return descriptor
    }

    /// Ends the connections of the descriptors that were kept, by a RST.
    func abortKept() { open.abort() }

    /// Waits until it holds, which no event says.
    func wait(for what: String, until holds: () throws -> Bool) throws {
        let start = ContinuousClock.now
        while try !holds() {
            try #require(.now - start < .seconds(30), "not in time: \(what)")
            usleep(20_000)
        }
    }
}

private final class OpenDescriptors {
    var all: [Int32] = []

    deinit { abort() }

    func abort() {
        for descriptor in all {
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
            close(descriptor)
        }
        all = []
    }
}

/// Sets an option that is an `int`; 0, or -1 and errno.
@discardableResult
func setOption(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) -> Int32 {
    withUnsafePointer(to: value) { setsockopt(descriptor, level, option, $0, socklen_t(MemoryLayout<Int32>.size)) }
}

/// A program that a remedy takes is not installed, or cannot run here.
struct MissingProgram: Error {
    let line: String
}

/// Why there is no connection.
struct Refusal: Error, Equatable {
    let errno: Int32
}

extension [Finding] {
    /// The one of a kind, of which there must be no other.
    func only(_ kind: Finding.Kind, sourceLocation: SourceLocation = #_sourceLocation) throws -> Finding {
        let all = filter { $0.kind == kind }
        try #require(all.count == 1, "\(map(\.title))", sourceLocation: sourceLocation)
        return all[0]
    }
}

extension Finding {
    /// A number of the evidence.
    subscript(name: String) -> Int? { evidence.first { $0.name == name }?.value }

    /// The remedy whose command changes a setting.
    func remedy(_ setting: KernelSetting) -> Remedy? {
        remedies.first { $0.command?.contains("\(setting.rawValue)=") == true }
    }
}
