internal import LinuxLibC
package import SocketValues

/// Reads a journal: the header, then entry after entry, in order.
///
/// A file that is cut short, damaged, foreign or of another version is one error, after the last whole entry. Of a chunk
/// that is cut short, the entries that are whole are read; of one that is damaged, none.
package final class JournalReader {
    /// What the journal says of itself.
    package private(set) var header = JournalHeader(version: "")
    private var decoder = JournalDecoder()
    private let file: JournalFile
    private var seed: UInt64 = 0
    /// Where the chunk's payload begins.
    private var payloadOffset = 0
    /// Whether the file ends within the chunk.
    private var isCutShort = false
    private var hasEnded = false

    /// Opens a journal that this version has written.
    ///
    /// - Throws: ``/SockDiag/KernelError``, of code ``/SockDiag/KernelError/Code/malformedFile`` where it is none.
    package init(path: String, version: String) throws(KernelError) {
        file = try JournalFile(path)
        try readPreface(version: version)
        guard try loadChunk(), !isCutShort else { throw file.cutShort(at: file.offset) }
        do throws(JournalFault) {
            header = try decoder.header()
            header.version = version
        } catch {
            throw self.error(error)
        }
    }

    /// The next entry, or nil behind the last one.
    ///
    /// - Throws: ``/SockDiag/KernelError``, and again whenever it is called after that.
    package func next() throws(KernelError) -> JournalEntry? {
        guard !hasEnded else { return nil }
        while true {
            let entry: JournalEntry?
            do throws(JournalFault) { entry = try decoder.next() } catch { throw self.error(error) }
            guard let entry else {
                guard !isCutShort, try loadChunk() else { throw file.cutShort(at: file.offset) }
                continue
            }
            guard case .end = entry else { return entry }
            let end = payloadOffset + decoder.cursor.offset
            guard decoder.cursor.isAtEnd, try file.isAtEnd() else {
                throw file.damaged(at: end, "there is more behind its end")
            }
            hasEnded = true
            return nil
        }
    }

    private func readPreface(version: String) throws(KernelError) {
        let start = try file.read(JournalFraming.prefaceSize)
        let mark = JournalFraming.mark
        guard !start.isEmpty else { throw file.malformed("it is empty") }
        guard start.prefix(mark.count).elementsEqual(mark.prefix(start.count)) else {
            throw file.malformed("it is no journal of tcpstates")
        }
        guard start.count == JournalFraming.prefaceSize, let length = start.last else {
            throw file.cutShort(at: file.offset)
        }
        let text = try file.read(Int(length))
        guard text.count == Int(length) else { throw file.cutShort(at: file.offset) }
        file.version = String(escaping: text)
        guard file.version == version, start[mark.count] == JournalFraming.format else { throw file.foreign() }
        seed = JournalFraming.checksum(of: (start + text).span.bytes, after: 0)
    }

    /// Reads the next chunk, or what is left of it; whether there is any.
    private func loadChunk() throws(KernelError) -> Bool {
        let start = file.offset
        let header = try file.read(JournalFraming.chunkHeaderSize)
        let bytes = header.span.bytes
        guard let length = bytes.number(at: 0, as: UInt32.self), let check = bytes.number(at: 4, as: UInt32.self),
            let sum = bytes.number(at: 8, as: UInt64.self)
        else { return false }
        let size = Int(UInt32(littleEndian: length))
        guard JournalFraming.check(ofLength: UInt32(littleEndian: length), after: seed) == UInt32(littleEndian: check),
            size <= JournalFraming.chunkLimit
        else { throw file.damaged(at: start) }
        payloadOffset = file.offset
        let payload = try file.read(size)
        isCutShort = payload.count < size
        if !isCutShort {
            seed = JournalFraming.checksum(of: payload.span.bytes, after: seed)
            guard seed == UInt64(littleEndian: sum) else { throw file.damaged(at: start) }
        }
        decoder.load(payload)
        return true
    }

    private func error(_ fault: JournalFault) -> KernelError {
        switch fault {
        case .cutShort where isCutShort: file.cutShort(at: file.offset)
        case .cutShort: file.damaged(at: payloadOffset + decoder.cursor.offset, "an entry has no end")
        case .wrong(let reason): file.damaged(at: payloadOffset + decoder.cursor.offset, reason)
        }
    }
}
