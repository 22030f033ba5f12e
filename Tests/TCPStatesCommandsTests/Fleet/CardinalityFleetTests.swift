#if Serve
    import TCPStateLab
    import Testing

    @Suite("More groups than can be shown", .timeLimit(.minutes(30)))
    struct CardinalityFleetTests {
        @Test(.enabled(if: Engine.has(.python), Engine.missing))
        func `Whatever there is, the series are no more than the documented ones, and their sums are exact`() throws {
            guard Program.isRoot else { try Test.cancel("to name processes of a laboratory takes root") }
            let lab = try Lab.orCancel()
            defer { lab.close() }
            print(try Engine.script("cardinality.py", [Tool.path], in: lab))
        }
    }
#endif
