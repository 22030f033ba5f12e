internal import TCPStateLab
internal import Testing

/// `make journals`: every scenario on this kernel, one after the other.
@Suite(
    "Making the corpus of journals",
    .serialized,
    .enabled(if: Corpus.isRecording, "make journals does it"),
    .timeLimit(.minutes(30))
)
struct JournalRecordingTests {
    @Test(arguments: Scenario.all, Scenario.Mode.allCases)
    func `What is reported of a scenario is the kernel's state in the end, and possible`(
        scenario: Scenario,
        mode: Scenario.Mode
    ) throws {
        guard scenario.modes.contains(mode) else { return }
        if mode == .trace { try TraceWatch.cancelUnlessPermitted() }
        let lab = try Lab.orCancel()
        defer { lab.close() }
        let recorder = JournalRecorder(lab, mode, scenario.fileName(mode))
        try scenario.run(recorder)
        try recorder.finish()
    }
}
