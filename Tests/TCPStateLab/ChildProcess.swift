internal import Glibc
internal import Synchronization

/// A program that runs in the lab's namespace, with its output kept.
package final class ChildProcess: Sendable {
    /// How a program ended and what it wrote.
    package struct Result: Sendable {
        package enum Status: Hashable, Sendable {
            case exited(Int32)
            case signaled(Int32)
        }

        package let status: Status
        package let standardOutput: String
        package let standardError: String
    }

    /// One of the program's outputs.
    struct Stream {
        /// Where it comes from; nil once it has ended.
        var source: Descriptor?
        private(set) var bytes: [UInt8] = []

        init(from source: Descriptor) { self.source = source }

        var text: String { String(decoding: bytes, as: UTF8.self) }

        /// Reads all that is there.
        mutating func drain() throws(LabError) {
            var buffer = [UInt8](repeating: 0, count: 65536)
            while let source {
                do throws(LabError) {
                    let length = try source.call("read a program's output", unless: EAGAIN) {
                        read($0, &buffer, buffer.count)
                    }
                    guard let length else { return }
                    bytes += buffer.prefix(length)
                    if length == 0 { self.source = nil }
                } catch {
                    // A terminal that nobody has open any more.
                    guard case .systemCall(EIO) = error.kind else { throw error }
                    self.source = nil
                }
            }
        }
    }

    private struct Streams {
        var output: Stream
        var error: Stream
    }

    package let id: Int32
    private let path: String
    /// Becomes readable when the program ends (`pidfd_open(2)`).
    private let exit: Descriptor
    private let streams: Mutex<Streams>
    private let hasTerminal: Bool
    /// The status of `waitpid(2)`; as long as it is nil, the id is the child's and no other's.
    private let waitStatus = Mutex<Int32?>(nil)

    /// Takes over a started program.
    init(_ path: String, id: pid_t, exit: Descriptor, output: Stream, error: Stream, hasTerminal: Bool) {
        self.path = path
        self.id = id
        self.exit = exit
        self.hasTerminal = hasTerminal
        streams = Mutex(Streams(output: output, error: error))
    }

    deinit { end() }

    /// Sends a signal, if the program still runs.
    package func signal(_ number: Int32) {
        waitStatus.withLock { status in
            if status == nil { _ = kill(id, number) }
        }
    }

    /// Waits until the program has ended; one that does not in time is killed, and the error says what it wrote.
    package func wait(within duration: Duration = .labDeadline) throws(LabError) -> Result {
        do {
            return try follow("its end", within: duration) { streams, status in
                // What a terminal still carries comes from a worker of the kernel; a pipe has it at once.
                guard let status, !hasTerminal || streams.output.source == nil else { return nil }
                let signal = status & 0x7f  // WTERMSIG
                return Result(
                    status: signal == 0 ? .exited(status >> 8 & 0xff) : .signaled(signal),
                    standardOutput: streams.output.text,
                    standardError: streams.error.text
                )
            }
        } catch {
            end()
            throw error
        }
    }

    /// Waits until what the program has written to its standard output so far is as wanted, and answers it.
    @discardableResult
    package func output(
        _ awaited: String,
        within duration: Duration = .labDeadline,
        where isWanted: (String) -> Bool
    ) throws(LabError) -> String {
        try follow(awaited, within: duration) { streams, _ in
            isWanted(streams.output.text) ? streams.output.text : nil
        }
    }

    /// Kills the program, if it still runs.
    func end() {
        waitStatus.withLock { status in
            guard status == nil else { return }
            kill(id, SIGKILL)
            var final: Int32 = 0
            _ = try? systemCall("waitpid") { waitpid(id, &final, 0) }
            status = final
        }
    }

    /// Reads what comes until the closure has an answer; it is given the wait status once the program has ended.
    private func follow<Answer>(
        _ awaited: String,
        within duration: Duration,
        until answer: (borrowing Streams, Int32?) -> Answer?
    ) throws(LabError) -> Answer {
        let deadline = Deadline(duration)
        return try streams.withLock { streams throws(LabError) in
            while true {
                let status = try reap()  // first: all that the program wrote is then there to be read
                try streams.output.drain()
                try streams.error.drain()
                if let answer = answer(streams, status) { return answer }
                let sources = [streams.output.source, streams.error.source, status == nil ? exit : nil]
                guard sources.contains(where: { $0 != nil }), try deadline.poll(sources) else {
                    throw LabError(
                        .timedOut,
                        "\(path): \(awaited) did not come; standard output: \(streams.output.text); "
                            + "standard error: \(streams.error.text)"
                    )
                }
            }
        }
    }

    private func reap() throws(LabError) -> Int32? {
        try waitStatus.withLock { status throws(LabError) in
            var final: Int32 = 0
            if status == nil, try systemCall("waitpid", { waitpid(id, &final, WNOHANG) }) == id { status = final }
            return status
        }
    }
}
