#if Serve
    import Foundation
    import TCPStateLab
    import Testing

    @Suite("Machines that are simulated", .timeLimit(.minutes(30)))
    struct SimulateFleetTests {
        @Test(.enabled(if: Engine.has(.python, .prometheus), Engine.missing))
        func `Simulated machines have a real one's series, and their states are what their steps come to`() throws {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            try #require(try lab.spawn("/bin/sh", ["-c", "ip link set lo up"]).status == .exited(0))
            try Engine.script("simulate.py", [Tool.path], in: lab)
        }
    }
#endif
