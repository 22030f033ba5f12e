internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

extension Trouble {
    /// What a program does, and can change.
    private final class Habit {
        /// Where its connections go, and how they get their port.
        var destination: SocketEndpoint
        var choosesLate = false
        var closesFirst = true

        init(_ destination: SocketEndpoint) { self.destination = destination }
    }

    private static let range = "40000 40029"

    static let ports: [Trouble] = [
        Trouble(.portExhaustion, "by connections that are open") { patient in
            try patient.lab.sysctl("net.ipv4.ip_local_port_range", range)
            let listener = try patient.lab.listener(port: 8080)
            let other = try patient.lab.loopbackListener(port: 8080)
            let habit = Habit(listener.local)
            while case .success(let descriptor) = patient.connect(to: habit.destination) {
                patient.kept(descriptor)
            }
            return Course(
                failures: {
                    let attempts = (0..<5).map { _ in patient.connect(to: habit.destination) }
                    for case .success(let descriptor) in attempts { patient.kept(descriptor) }
                    return attempts.count { if case .failure = $0 { true } else { false } }
                },
                cures: [
                    "More ports to choose from": patient.follow,
                    "Use connections again": { _ in
                        habit.destination = SocketEndpoint(.loopbackIPv4, port: other.local.port)
                    },
                ]
            )
        },
        Trouble(.portExhaustion, "by TIME_WAIT") { patient in
            try patient.lab.sysctl("net.ipv4.ip_local_port_range", range)
            let listener = try patient.lab.listener(port: 8080)
            let other = try patient.lab.loopbackListener(port: 8080)
            let accepting = try #require(listener.descriptor)
            let habit = Habit(listener.local)
            while case .success(let descriptor) = patient.connect(to: habit.destination) {
                close(descriptor)
                close(accept(accepting, nil, nil))
            }
            func isRefused() -> Bool {
                guard case .success(let descriptor) = patient.connect(to: habit.destination) else { return true }
                patient.kept(descriptor)
                return false
            }
            return Course(
                failures: { isRefused() ? 1 : 0 },
                cures: [
                    "Let connect() take over": { remedy in
                        try patient.follow(remedy)
                        // It does when a TIME_WAIT is a second old, by the kernel's clock of seconds.
                        try patient.wait(for: "TIME_WAITs of two seconds") {
                            try patient.lab.run { () throws(KernelError) in
                                var client = try SockDiagClient()
                                let timers = try client.sockets(in: .timeWait).map(\.timer)
                                return timers.allSatisfy { $0?.milliseconds ?? 0 < 58_000 }
                            }
                        }
                    },
                    "More ports to choose from": patient.follow,
                    "Use connections again": { _ in
                        habit.destination = SocketEndpoint(.loopbackIPv4, port: other.local.port)
                    },
                ]
            )
        },
        Trouble(.sourcePortExhaustion, "by bind() before connect()") { patient in
            try patient.lab.sysctl("net.ipv4.ip_local_port_range", range)
            let listener = try patient.lab.loopbackListener(port: 9000, isDualStack: true)
            let source = IPAddress(ipv4: 0x7f00_0005)
            let habit = Habit(listener.local)
            func connect(_ number: Int) -> Bool {
                let destination = SocketEndpoint(IPAddress(ipv4: 0x7f00_0100 + UInt32(number % 10)), port: 9000)
                let result = patient.connect(to: destination, from: source, choosesLate: habit.choosesLate)
                guard case .success(let descriptor) = result else { return false }
                patient.kept(descriptor)
                return true
            }
            for number in 0..<30 { _ = connect(number) }
            return Course(
                failures: { (0..<60).filter { !connect($0) }.count },
                cures: [
                    "Set IP_BIND_ADDRESS_NO_PORT": { _ in
                        // The program starts anew.
                        patient.abortKept()
                        habit.choosesLate = true
                    },
                    "More ports to choose from": patient.follow,
                ]
            )
        },
        Trouble(.timeWaitOverflow, "by a limit that is too low") { patient in
            try patient.lab.sysctl("net.ipv4.tcp_max_tw_buckets", 5)
            let listener = try patient.lab.listener()
            let habit = Habit(listener.local)
            func overflows() -> UInt64 { patient.lab.run { KernelCounters()[.timeWaitOverflows] ?? 0 } }
            func close() throws {
                for _ in 0..<20 {
                    if habit.closesFirst {
                        try patient.lab.server(in: .timeWait, on: listener)
                    } else {
                        let connection = try patient.lab.server(in: .lastAck, on: listener)
                        try connection.peer.send(.ack)
                        connection.close()
                    }
                }
            }
            return Course(
                between: close,
                failures: {
                    let before = overflows()
                    try close()
                    return Int(overflows() - before)
                },
                cures: [
                    "More room": patient.follow,
                    "Use connections again": { _ in habit.closesFirst = false },
                ]
            )
        },
    ]
}
