import Glibc
import SockDiag
import Testing

@testable import TCPWatch

@Suite struct JournalFileTests {
    private func small(_ scratch: borrowing JournalScratch) throws -> [JournalEntry] {
        var random = RandomEntries(seed: 1)
        let entries = random.entries(40)
        try scratch.write(entries, chunk: 10)
        return entries
    }

    @Test func aJournalOverAFileThatEverybodyMayReadIsItsOwnersAlone() throws {
        let scratch = try JournalScratch()
        try scratch.replace(Array(repeating: 1, count: 100_000))
        try #require(chmod(scratch.path, 0o644) == 0)
        let entries = try small(scratch)
        var status = stat()
        try #require(stat(scratch.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        // Nothing is left of what was there.
        let (read, error) = scratch.read()
        #expect(error == nil)
        #expect(read.elementsEqual(entries))
    }

    @Test func aJournalThatIsCutAnywhereGivesWhatIsWholeAndOneError() throws {
        let scratch = try JournalScratch()
        let entries = try small(scratch)
        let bytes = try scratch.bytes
        var longest = 0
        for length in bytes.indices {
            try scratch.replace(bytes.prefix(length))
            let (read, error) = scratch.read()
            #expect(error?.code == .malformedFile, "\(length) bytes")
            #expect(read.elementsEqual(entries.prefix(read.count)), "\(length) bytes")
            // No entry is lost again that was whole in fewer bytes.
            #expect(read.count >= longest, "\(length) bytes")
            longest = read.count
        }
        #expect(longest == entries.count)
    }

    @Test func aBitThatHasFlippedAnywhereIsFound() throws {
        let scratch = try JournalScratch()
        let entries = try small(scratch)
        let bytes = try scratch.bytes
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 1 << UInt8(index % 8)
            try scratch.replace(damaged)
            let (read, error) = scratch.read()
            #expect(error?.code == .malformedFile, "byte \(index)")
            #expect(read.elementsEqual(entries.prefix(read.count)), "byte \(index)")
        }
    }

    /// What nobody has checked: payloads of a stranger, whose checksums are right.
    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func noPayloadMakesTheReaderTrap(_ seed: UInt64) throws {
        var random = RandomEntries(seed: seed)
        var encoder = JournalEncoder(capacity: 0)
        for entry in random.entries(60) { encoder.append(entry) }
        encoder.finish()
        var payload = Array(encoder.bytes.bytes)
        for _ in 0..<random.int(in: 1..<8) {
            payload[random.int(in: 0..<payload.count)] = UInt8(random.int(in: 0..<256))
        }
        if seed % 3 == 0 { payload = (0..<200).map { _ in UInt8(random.int(in: 0..<256)) } }
        var decoder = JournalDecoder()
        decoder.load(payload)
        var count = 0
        // One that repeats the last dump for ever is no trap either.
        while count < 100_000, let entry = try? decoder.next() { count += entry == .end ? 0 : 1 }
        if seed % 3 == 0 {
            decoder.load(payload)
            _ = try? decoder.header()
        }
    }

    @Test func aChunkThatIsMissingOrInAnotherPlaceIsFound() throws {
        let scratch = try JournalScratch()
        let entries = (0..<4).map { JournalEntry.slowed(.milliseconds(250 + $0), at: JournalScratch.header.start) }
        try scratch.write(entries, chunk: 1)
        let bytes = try scratch.bytes
        // All chunks but the header's and the end's are equally long.
        let chunk = JournalFraming.chunkHeaderSize + 5
        let end = bytes.count - JournalFraming.chunkHeaderSize - 1
        let start = end - 4 * chunk
        try scratch.replace(bytes[..<(start + chunk)] + bytes[(start + 2 * chunk)...])
        #expect(scratch.read().entries == [entries[0]])
        #expect(scratch.read().error?.code == .malformedFile)
        try scratch.replace(
            bytes[..<start] + bytes[(start + chunk)..<(start + 2 * chunk)] + bytes[start..<(start + chunk)]
                + bytes[(start + 2 * chunk)...]
        )
        #expect(scratch.read().entries == [])
        #expect(scratch.read().error?.code == .malformedFile)
    }

    @Test func whatComesBehindTheEndIsNoPartOfIt() throws {
        let scratch = try JournalScratch()
        let entries = try small(scratch)
        try scratch.replace(try scratch.bytes + [0])
        let (read, error) = scratch.read()
        #expect(read == entries)
        #expect("\(try #require(error))".contains("there is more behind its end"))
    }

    @Test func aForeignFileIsNoJournal() throws {
        let scratch = try JournalScratch()
        for text in ["{\"schema\":1,\"type\":\"recording\"}\n", "\u{7f}ELF", "x"] {
            try scratch.replace(text.utf8)
            #expect(
                "\(try #require(scratch.read().error))".contains("it is no journal of tcpstates; a journal is made by")
            )
        }
        try scratch.replace([])
        #expect("\(try #require(scratch.read().error))".contains("it is empty"))
    }

    @Test func aJournalOfAnotherVersionSaysWhich() throws {
        let scratch = try JournalScratch()
        try scratch.write([], header: JournalHeader(version: "0.0.9"))
        let error = try #require(scratch.read().error)
        #expect(
            "\(error)"
                == "cannot replay the journal \(scratch.path): it was written by tcpstates 0.0.9; replay it with that version"
        )
    }

    @Test func theErrorNamesTheFileAndThePlace() throws {
        let scratch = try JournalScratch()
        _ = try small(scratch)
        let bytes = try scratch.bytes
        try scratch.replace(bytes.dropLast(3))
        let error = try #require(scratch.read().error)
        #expect(
            "\(error)".hasPrefix(
                "cannot replay the journal \(scratch.path): it is cut short at byte \(bytes.count - 3); "
            )
        )
    }

    @Test(arguments: [("/nowhere/at/all", "No such file or directory"), ("/tmp", "Is a directory")])
    func whatIsNoFileIsAnError(_ path: String, _ words: String) {
        #expect { try JournalReader(path: path, version: "1") } throws: { "\($0)".contains("\(path): \(words)") }
    }

    @Test func nobodyElseMayReadAJournal() throws {
        let scratch = try JournalScratch()
        unlink(scratch.path)
        try scratch.write([])
        var status = stat()
        try #require(stat(scratch.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
    }

    @Test func aFullDiskIsOneErrorAndEndsTheJournalAlone() throws {
        var header = JournalScratch.header
        header.filter = String(repeating: "x", count: 100)
        #expect { try JournalWriter(path: "/dev/full", header: header) } throws: {
            "\($0)".hasPrefix("cannot write the journal /dev/full: No space left on device")
        }
    }

    @Test func aJournalThatCannotBeMadeSaysWhy() {
        #expect { try JournalWriter(path: "/nowhere/journal", header: JournalScratch.header) } throws: {
            "\($0)".hasPrefix("cannot open the journal /nowhere/journal for writing: No such file or directory")
        }
    }
}
