internal import Glibc
internal import SockDiag
internal import TCPStateLab
internal import Testing

@testable internal import TCPDiagnosis

extension Trouble {
    private static let clients = 20

    static let floods: [Trouble] = [
        Trouble(.halfOpenFlood, "without SYN cookies, from one address") { patient in
            try patient.lab.sysctl("net.ipv4.tcp_syncookies", 0)
            try patient.lab.sysctl("net.core.somaxconn", 64)
            try patient.lab.sysctl("net.ipv4.tcp_max_syn_backlog", 128)
            let listener = try patient.lab.listener(over: .ipv4Mapped, backlog: 64)
            try patient.sendSYNs(100, to: listener, over: .ipv6)
            return Course(
                // Honest clients have another address.
                failures: { try clients - patient.connected(clients, to: listener, over: .ipv4Mapped) },
                cures: [
                    "Answer a full queue with SYN cookies": patient.follow,
                    "Room for more half-open connections": { remedy in
                        try patient.follow(remedy)
                        try listener.listen(backlog: 4096)
                    },
                    "Forget each request": { remedy in
                        try patient.follow(remedy)
                        try patient.wait(for: "the requests to end") { try patient.count(.synReceived) == 0 }
                    },
                    "Most come from one address": { remedy in
                        try patient.follow(remedy)
                        // Those that are there already end by themselves; the flood goes on.
                        try patient.lab.sysctl("net.ipv4.tcp_synack_retries", 1)
                        try patient.wait(for: "the requests to end") { try patient.count(.synReceived) == 0 }
                        try patient.sendSYNs(100, to: listener, over: .ipv6)
                    },
                ]
            )
        },
        Trouble(.halfOpenFlood, "that tcp_max_syn_backlog lets fill the queue early") { patient in
            try patient.lab.sysctl("net.ipv4.tcp_syncookies", 0)
            try patient.lab.sysctl("net.ipv4.tcp_synack_retries", 1)
            try patient.lab.sysctl("net.ipv4.tcp_max_syn_backlog", 64)
            let listener = try patient.lab.listener(over: .ipv4Mapped, backlog: 256)
            try patient.sendSYNs(100, to: listener, over: .ipv6)
            return Course(
                failures: { try clients - patient.connected(clients, to: listener, over: .ipv4Mapped) },
                cures: [
                    "Answer a full queue with SYN cookies": patient.follow,
                    "Without SYN cookies the queue ends": patient.follow,
                    "Most come from one address": { remedy in
                        try patient.follow(remedy)
                        try patient.wait(for: "the requests to end") { try patient.count(.synReceived) == 0 }
                        try patient.sendSYNs(100, to: listener, over: .ipv6)
                    },
                ]
            )
        },
        Trouble(.halfOpenFlood, "from several addresses") { patient in
            try patient.lab.sysctl("net.ipv4.tcp_syncookies", 0)
            try patient.lab.sysctl("net.ipv4.tcp_synack_retries", 1)
            let listener = try patient.lab.listener(over: .ipv4Mapped, backlog: 300)
            func flood() throws {
                for _ in 0..<160 {
                    for network in [LabNetwork.ipv4Mapped, .ipv6] {
                        try patient.sendSYNs(1, to: listener, over: network)
                    }
                }
            }
            try patient.sendSYNs(20, to: listener, over: .linkLocal)
            try flood()
            return Course(
                failures: { try clients - patient.connected(clients, to: listener, over: .linkLocal) },
                cures: [
                    "Answer a full queue with SYN cookies": patient.follow,
                    "Room for more half-open connections": { remedy in
                        if remedy.command != nil { try patient.follow(remedy) }
                        try listener.listen(backlog: 4096)
                    },
                    "Limit the SYNs from each address": { remedy in
                        try patient.follow(remedy)
                        try patient.wait(for: "the requests to end") { try patient.count(.synReceived) == 0 }
                        try flood()
                    },
                ]
            )
        },
        Trouble(.halfOpenFlood, "with SYN cookies for every SYN") { patient in
            try patient.lab.sysctl("net.ipv4.tcp_syncookies", 2)
            let listener = try patient.lab.listener()
            var course = Course(
                between: { try patient.sendSYNs(300, to: listener) },
                // Clients get in; what fails is that each SYN costs an answer.
                failures: {
                    try patient.findings { try patient.sendSYNs(300, to: listener) }.count { $0.kind == .halfOpenFlood }
                },
                cures: [
                    "Limit the SYNs from each address": { remedy in
                        try patient.follow(remedy)
                        // The first ones of each address are let through.
                        try patient.sendSYNs(100, to: listener)
                    }
                ]
            )
            course.shown = ["See whom they are sent to"]
            return course
        },
    ]

    static let queues: [Trouble] = [
        Trouble(.acceptQueueOverflow, "of one listener") { patient in
            try patient.lab.sysctl("net.core.somaxconn", 4)
            let listener = try patient.lab.listener(backlog: 4)
            for _ in 0..<5 { try patient.lab.server(on: listener, accepted: false) }
            var course = Course(
                failures: { try clients - patient.connected(clients, to: listener) },
                cures: [
                    "Room for bursts": { remedy in
                        try patient.follow(remedy)
                        try listener.listen(backlog: 4096)
                    }
                ]
            )
            course.shown = ["See what the program is doing"]
            return course
        },
        Trouble(.acceptQueueOverflow, "of one of two listeners that share the port") { patient in
            let listeners = try patient.lab.sharedListeners(backlogs: [4, 4000])
            var client = try SockDiagClient(in: patient.namespace)
            func waiting() throws -> [Int] {
                let rows = try client.sockets(in: .listen)
                return try listeners.filter { $0.descriptor != nil }.map { listener in
                    let inode = try UInt32(listener.inode())
                    return rows.first { $0.inode == inode }.map { Int($0.receiveQueue) } ?? -1
                }
            }
            try patient.wait(for: "the first to be full") {
                _ = try patient.connected(1, to: listeners[0])
                return try waiting()[0] > 4
            }
            var course = Course(
                failures: { try 2 * clients - patient.connected(2 * clients, to: listeners[1]) },
                cures: [
                    "End that process": { _ in listeners[0].close() },
                    "Before that, have what waits": { remedy in
                        try patient.follow(remedy)
                        let before = try waiting()
                        listeners[0].close()
                        let after = try waiting()
                        #expect(after == [before[0] + before[1]])
                    },
                    "Room for bursts": { _ in try listeners[0].listen(backlog: 4096) },
                ]
            )
            course.shown = ["See what the program is doing"]
            return course
        },
    ]
}
