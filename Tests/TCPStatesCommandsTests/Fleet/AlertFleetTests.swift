#if Serve
    import Foundation
    import TCPStateLab
    import Testing

    @Suite("Alerts of a real Prometheus, of real troubles", .timeLimit(.minutes(30)))
    struct AlertFleetTests {
        @Test(.enabled(if: Engine.has(.python, .prometheus, .alertmanager), Engine.missing))
        func
            `Each trouble raises its alert and no other namespace's, each is resolved, and no connection is miscounted`()
            throws
        {
            guard Program.isRoot else { try Test.cancel("to enter other namespaces takes root") }
            let lab = try Lab.orCancel()
            defer { lab.close() }
            // A rule's minute is two seconds.
            print(try Engine.script("alerts.py", [Tool.path, "30", "30000"], in: lab, within: .seconds(1700)))
        }
    }
#endif
