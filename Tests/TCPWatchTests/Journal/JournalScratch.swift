internal import Glibc
internal import LinuxSystem
internal import SockDiag
internal import Testing

@testable internal import TCPWatch

/// A file for a journal, gone afterwards.
struct JournalScratch: ~Copyable {
    let path: String
    static let version = "1.2.3"

    init() throws {
        var template = Array("/tmp/tcpstates-journal-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        Glibc.close(descriptor)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { unlink(path) }

    /// Its bytes.
    var bytes: [UInt8] {
        get throws { try OpenFile.whole(path) }
    }

    /// Puts other bytes into it.
    func replace(_ bytes: some Collection<UInt8>) throws {
        let descriptor = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { Glibc.close(descriptor) }
        let bytes = Array(bytes)
        try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    }

    /// Writes a journal of these entries; a chunk for so many, or as many chunks as it takes.
    func write(_ entries: [JournalEntry], header: JournalHeader = header, chunk: Int = .max) throws {
        let writer = try JournalWriter(path: path, header: header)
        for (index, entry) in entries.enumerated() {
            writer.append(entry)
            if index % chunk == chunk - 1 { writer.flush() }
        }
        writer.finish()
        #expect(writer.failure == nil)
    }

    static var header: JournalHeader {
        var header = JournalHeader(version: version)
        (header.kernel, header.bootID) = ("6.12.3 x86_64", "01234567-89ab-cdef-0123-456789abcdef")
        header.start = EventTime(monotonicNanoseconds: 7, realtimeNanoseconds: 1_700_000_000_000_000_007)
        (header.isTracing, header.refusal, header.filter) = (false, "cannot trace the kernel: …", "dport = :443")
        (header.states, header.namesNamespaces) = ([.established, .closed], true)
        (header.reportsExisting, header.resolvesOwners) = (false, true)
        return header
    }

    /// What can be read of it, and the error behind that.
    func read() -> (entries: [JournalEntry], error: KernelError?) {
        var entries: [JournalEntry] = []
        do throws(KernelError) {
            let reader = try JournalReader(path: path, version: Self.version)
            while let entry = try reader.next() { entries.append(entry) }
            return (entries, nil)
        } catch {
            return (entries, error)
        }
    }
}
