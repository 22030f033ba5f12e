internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

/// Limits of the whole machine. They are seen in the first network namespace alone, wherever the sockets are.
extension Trouble {
    /// The settings of the tests' own namespace, where it shows the one.
    private static func machine(_ setting: KernelSetting) throws -> (
        namespace: NetworkNamespace, settings: KernelSettings
    ) {
        let namespace = try NetworkNamespace.current
        let settings = try KernelSettings(of: namespace)
        guard settings[setting] != nil else {
            try cancel("\(setting.rawValue) is seen in the first network namespace alone")
        }
        return (namespace, settings)
    }

    /// Runs a command that changes a setting of the whole machine, as it was printed.
    private static func follow(_ remedy: Finding.Remedy, _ patient: Patient) throws {
        let command = try #require(remedy.command)
        guard access("/proc/sys/net/ipv4/tcp_mem", W_OK) == 0 else {
            try cancel("settings of the machine may not be set")
        }
        try patient.run(command)
    }

    /// Cancels the case, and says so: of a test with arguments nothing is printed otherwise.
    private static func cancel(_ reason: Comment) throws -> Never {
        Issue.record(reason, severity: .warning)
        try Test.cancel(reason)
    }

    private static func followOrCancel(_ count: Int, _ patient: Patient) throws {
        do throws(LabError) {
            try patient.lab.followConnections(count)
        } catch {
            guard case .systemCall = error.kind else { throw error }
            try cancel("\(error)")
        }
    }

    static let machine: [Trouble] = [
        Trouble(.orphans, "of a fiftieth of the limit") { patient in
            let (namespace, settings) = try machine(.maxOrphans)
            let limit = try #require(settings[.maxOrphans])
            guard limit <= 200_000 else { try cancel("this machine allows more orphans than a test can make") }
            let listener = try patient.lab.listener()
            for _ in 0...limit / 100 { try patient.lab.server(on: listener).close() }
            return Course(
                thresholds: .with { $0.orphans = 1 },
                namespace: namespace,
                failures: {
                    let most = try KernelSettings(of: namespace)[.maxOrphans] ?? 1
                    return KernelCounters().now(.orphans) * 100 / most
                },
                cures: [
                    "Give them up sooner": { remedy in
                        // Where the orphans are.
                        let command = try #require(remedy.command)
                        let result = try patient.lab.spawn("/bin/sh", ["-c", command])
                        #expect(result.status == .exited(0), "\(result.standardError)")
                        try patient.wait(for: "the orphans to end") { try patient.count(.finWait1) == 0 }
                    },
                    "Allow more": { try follow($0, patient) },
                ],
                restore: { try patient.run("sysctl -w \(KernelSetting.maxOrphans.rawValue)=\(limit)") }
            )
        },
        Trouble(.memoryPressure, "by what is not read") { patient in
            let (namespace, settings) = try machine(.memory)
            let limits = settings.values(of: .memory)
            guard limits[1] <= 1_000_000 else { try cancel("TCP may take more memory here than a test should") }
            let chunk = [UInt8](repeating: 7, count: 1 << 16)
            var sent = 0
            // Pages have 4 KiB, and each byte takes more than itself.
            while sent < limits[1] / 50 * 4096 {
                let descriptor = try #require(try patient.lab.loopbackPair().client.descriptor)
                while case let count = send(descriptor, chunk, chunk.count, Int32(MSG_DONTWAIT)), count > 0 {
                    sent += count
                }
            }
            let values = limits.map { "\($0)" }.joined(separator: " ")
            return Course(
                thresholds: .with { $0.memory = 2 },
                namespace: namespace,
                failures: {
                    let pressure = try KernelSettings(of: namespace).values(of: .memory)[1]
                    return KernelCounters().now(.pages) * 100 / pressure / 2
                },
                cures: ["Allow more": { try follow($0, patient) }],
                restore: { try patient.run("sysctl -w '\(KernelSetting.memory.rawValue)=\(values)'") }
            )
        },
        Trouble(.conntrack, "of a table that fills") { patient in
            let settings = try KernelSettings(of: patient.namespace)
            guard let most = settings[.conntrackMax], most <= 1_000_000 else {
                try cancel("this kernel follows no connections, or more than a test can make")
            }
            try followOrCancel(most / 100 + 1, patient)
            let timeout = KernelSetting(rawValue: "net.netfilter.nf_conntrack_tcp_timeout_established")
            func percent() throws -> Int {
                let settings = try KernelSettings(of: patient.namespace)
                return (settings[.conntrackCount] ?? 0) * 100 / max(settings[.conntrackMax] ?? 1, 1)
            }
            let held = Timeout()
            return Course(
                thresholds: .with { $0.conntrack = 1 },
                // Connections that are known for days, or that find no room.
                failures: { held.isFollowed ? 0 : try percent() },
                cures: [
                    "More room": { try follow($0, patient) },
                    "Forget idle connections sooner": { remedy in
                        try patient.follow(remedy)
                        let path = "/proc/sys/" + timeout.rawValue.split(separator: ".").joined(separator: "/")
                        let value = try patient.lab.spawn("/bin/cat", [path]).standardOutput
                        held.isFollowed = value == "86400\n"
                    },
                ],
                restore: { try patient.run("sysctl -w \(KernelSetting.conntrackMax.rawValue)=\(most)") }
            )
        },
    ]

    private final class Timeout { var isFollowed = false }
}
