#if Serve
    import Foundation
    import TCPStateLab
    import Testing

    @Suite("The page of serve, in a browser", .timeLimit(.minutes(30)))
    struct PageFleetTests {
        @Test(.enabled(if: Engine.has(.python, .chromium), Engine.missing))
        func
            `A leak shows by itself, a filter narrows, what comes from outside is text, and nothing leaves the origin`()
            throws
        {
            let lab = try Lab.orCancel()
            defer { lab.close() }
            let served = try Served(in: lab, ["-p", "--examine", "1s"])
            let folder = Engine.root.appending(path: ".build/fleet/pictures").path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Engine.script("page.py", ["19293", "\(served.process.id)", folder], in: lab)
            #expect(try served.process.wait().status == .exited(0))
        }
    }
#endif
