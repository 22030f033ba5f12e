package import ConnectionTracking
internal import LinuxLibC
internal import LinuxSystem
package import SockDiag

/// Writes a journal: every input of a watcher's trackers, in order, and what is shown with their events.
///
/// Belongs to one thread. What is added gathers until there is a chunk of 64 KiB, until inputs come that are a second
/// younger, and until ``flush()``: a program that is killed leaves all but the last second. Where the file
/// cannot be written any more, ``failure`` says why and all that follows is passed over: the file then ends with the last
/// whole chunk.
package final class JournalWriter {
    // No closure runs during an access, so that no second one can begin; to check that takes longer than a row.
    @exclusivity(unchecked) private var encoder = JournalEncoder(capacity: JournalFraming.chunkSize)
    private var seed: UInt64 = 0
    private let descriptor: Int32
    private let path: String
    /// When what gathers is written at the latest, by the time of inputs, monotonic nanoseconds.
    private var deadline: UInt64?
    /// The length of the file up to the last whole chunk.
    private var written = 0
    private static let flushInterval: UInt64 = 1_000_000_000
    /// Why nothing is written any more.
    package private(set) var failure: KernelError?

    /// Makes the file, which only its owner may read, or empties it; and writes the header.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    package init(path: String, header: JournalHeader) throws(KernelError) {
        self.path = path
        var descriptor: Int32
        repeat {
            descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        } while descriptor < 0 && errno == EINTR
        guard descriptor >= 0 else {
            throw KernelError(.system, errno: errno, operation: "open the journal \(path) for writing")
        }
        if let failure = Self.claim(descriptor, path) {
            LinuxLibC.close(descriptor)
            throw failure
        }
        self.descriptor = descriptor
        let preface = JournalFraming.preface(version: header.version)
        seed = JournalFraming.checksum(of: preface.span.bytes, after: 0)
        write(preface[...])
        beginChunk()
        encoder.append(header)
        flush()
        if let failure { throw failure }
    }

    deinit { LinuxLibC.close(descriptor) }

    /// Empties a file, after it is its owner's alone: one that was there may have been everybody's. A device or a pipe stays as it
    /// is.
    private static func claim(_ descriptor: Int32, _ path: String) -> KernelError? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        if fchmod(descriptor, 0o600) == 0, ftruncate(descriptor, 0) == 0 { return nil }
        return KernelError(
            .system,
            errno: errno,
            operation: "make the journal \(path) its owner's alone",
            remedy: "write it to a file of your own"
        )
    }

    /// Adds an input of a watcher that has begun. A row is better added by ``append(_:at:to:)``.
    package func append(_ input: Input, to watcher: UInt32) {
        encoder.append(input, to: watcher)
        flushIfDue(at: input.time.monotonicNanoseconds)
    }

    /// Adds a row of a dump, without the copies that an ``/ConnectionTracking/Input`` would take.
    ///
    /// A row that the last dump had too takes 20 ns, 25 ns where its timer has moved on. A new one takes 67 ns in a dump of
    /// 100,000 rows and 130 to 150 ns in one of a million, where the memory that keeps the rows has to be had first.
    /// Processor time of an optimized build on a server's core (AMD EPYC), the file in memory; medians of three runs.
    package func append(_ row: SocketRow, at time: EventTime, to watcher: UInt32) {
        encoder.append(row, at: time, to: watcher)
        flushIfDue(at: time.monotonicNanoseconds)
    }

    private func flushIfDue(at time: UInt64) {
        let deadline = deadline ?? time &+ Self.flushInterval
        self.deadline = deadline
        if encoder.bytes.count >= JournalFraming.chunkSize || deadline <= time { flush() }
    }

    /// Adds any other entry; a watcher begins with ``JournalEntry/namespace(watcher:_:_:)``.
    package func append(_ entry: JournalEntry) {
        encoder.append(entry)
        if encoder.bytes.count >= JournalFraming.chunkSize { flush() }
    }

    /// Adds the kernel's message about a socket that exists.
    package func append(_ socket: InetSocket, to watcher: UInt32) {
        append(.message(watcher: watcher, socket.withMessage { $0.array() }))
    }

    /// Writes out what has gathered.
    package func flush() {
        encoder.finish()
        deadline = nil
        let size = encoder.bytes.count - JournalFraming.chunkHeaderSize
        guard size > 0 else { return }
        let payload = encoder.bytes.bytes.dropFirst(JournalFraming.chunkHeaderSize)
        let length = UInt32(truncatingIfNeeded: size)
        let sum = JournalFraming.checksum(of: payload.span.bytes, after: seed)
        encoder.bytes.overwrite(length, at: 0)
        encoder.bytes.overwrite(JournalFraming.check(ofLength: length, after: seed), at: 4)
        encoder.bytes.overwrite(sum, at: 8)
        seed = sum
        write(encoder.bytes.bytes)
        beginChunk()
    }

    /// Writes the end, by which a journal is known to be whole. Nothing may be added any more.
    package func finish() {
        append(.end)
        flush()
    }

    private func beginChunk() {
        encoder.bytes.truncate(to: 0)
        for _ in 0..<(JournalFraming.chunkHeaderSize) { encoder.bytes.append(UInt8(0)) }
    }

    private func write(_ bytes: ArraySlice<UInt8>) {
        guard failure == nil else { return }
        bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = LinuxLibC.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    return fail(errno)
                }
            }
        }
        if failure == nil { written += bytes.count }
    }

    private func fail(_ number: Int32) {
        failure = KernelError(
            .system,
            errno: number,
            operation: "write the journal \(path)",
            remedy: "what was written until then can be replayed"
        )
        // A part of a chunk is worth nothing. A pipe cannot be shortened, and need not be.
        _ = ftruncate(descriptor, off_t(written))
    }
}
