internal import LinuxLibC
internal import LinuxSystem
internal import SockDiag
internal import SocketLeaks
internal import TCPWatch

/// Follows the test processes of `swift test`: when which test ran, and the moment before each process ends.
final class TestWatch {
    private(set) var log = TestLog()
    /// The output of `swift test`; nil for this process' standard output.
    let output = LiveOutput()
    /// The descriptor of the event stream; -1 for none.
    let descriptor: Int32
    /// The test processes that run, and the test that is all that each runs, where that is known. Their numbers are not
    /// used again before this process has reaped them.
    private var traced: [Int32: (process: ProcessIdentity, test: String?)] = [:]
    /// Why processes could not be traced: what they left is not known.
    private(set) var refusal: Errno?

    /// Follows the stream of a FIFO.
    init(stream path: String) throws(CommandFailure) {
        // For writing too, so that there is no end of the stream between two test processes.
        descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure("cannot open \(path)", errno: errno) }
    }

    deinit { close(descriptor) }

    /// The test processes that run.
    var processes: Set<ProcessIdentity> { Set(traced.values.map(\.process)) }

    /// Reads what has come; whether something has.
    func readStream() -> Bool {
        var hasNews = false
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let length = read(descriptor, &buffer, buffer.count), length > 0 {
            log.take(buffer.prefix(length))
            hasNews = true
        }
        return hasNews
    }

    /// Starts `swift test`, without an input, and traces it.
    func start(_ words: [String], mask: sigset_t) throws(CommandFailure) -> ChildCommand {
        let child = try ChildCommand(words, mask: mask, hasInput: false, output: output?.programsEnd)
        output?.closeProgramsEnd()
        do throws(Errno) { try ProcessTrace.begin(child.pid) } catch { refusal = error }
        return child
    }

    /// Takes what `waitpid(2)` reports of a process that has stopped. A test process that is about to end waits while
    /// `search` is run, which receives the test that was all it ran, where that is known.
    func handleStop(
        of process: Int32,
        waitStatus: Int32,
        _ search: (_ process: ProcessIdentity, _ test: String?) throws -> Void
    ) rethrows {
        switch ProcessTrace.handle(stopOf: process, waitStatus: waitStatus) {
        case .newProgram:
            guard Self.program(of: process)?.hasSuffix(".xctest") == true,
                let identity = try? ProcessIdentity(of: process, in: ProcessDirectory())
            else { return ProcessTrace.resume(process) }
            traced[process] = (identity, TestLog.test(ofArguments: Self.arguments(of: process)))
            ProcessTrace.stopBeforeEnd(process)
        case .ending:
            defer { ProcessTrace.end(process) }
            if let (process, test) = traced.removeValue(forKey: process) { try search(process, test) }
        case .other: break
        }
    }

    private static func program(of process: Int32) -> String? {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/\(process)/exe", &path, path.count)
        return length > 0 ? String(decoding: path.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    private static func arguments(of process: Int32) -> [String] {
        let bytes = (try? OpenFile.start(of: "/proc/\(process)/cmdline", limit: 65536)) ?? []
        return bytes.split(separator: 0, omittingEmptySubsequences: true).map { String(decoding: $0, as: UTF8.self) }
    }
}
