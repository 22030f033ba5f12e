internal import LinuxLibC
internal import Synchronization

/// SIGINT and SIGTERM end a command in order: the first of either rings a bell, the second ends the process.
///
/// Also where the process was started with them ignored, as a shell's background job is.
enum StopSignal {
    // A signal handler knows nothing but what is global. All of it is made before the handler is.
    private static let ringer = Atomic<Int32>(-1)
    private static let cameFlag = Atomic<Bool>(false)

    /// Whether one has come.
    static var hasCome: Bool { cameFlag.load(ordering: .acquiring) }

    /// Rings the bell, which then lives as long as the process, when one comes.
    static func ring(_ bell: Bell) {
        cameFlag.store(false, ordering: .releasing)
        ringer.store(Unmanaged.passRetained(bell).takeUnretainedValue().ringer, ordering: .releasing)
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
            let failure = errno
            StopSignal.cameFlag.store(true, ordering: .releasing)
            Bell.ring(StopSignal.ringer.load(ordering: .acquiring))
            errno = failure
        }
        // No SA_RESTART, so that a wait for a slow reader is interrupted too; then the default, which ends the process.
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
        for signal in [SIGINT, SIGTERM] { sigaction(signal, &action, nil) }
    }
}
