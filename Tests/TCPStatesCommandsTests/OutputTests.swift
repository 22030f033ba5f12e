import Foundation
import Glibc
import TCPRecords
import Testing

@testable import TCPStatesCommands

@Suite struct OutputTests {
    @Test func listIsTheDefaultCommand() throws {
        let connection = try LoopbackConnection()
        let rows = { (text: String) in text.split(separator: "\n").filter { $0.contains(":\(connection.clientPort)") } }
        let (short, long) = (try Tool.run(["-4", "-H"]), try Tool.run(["list", "-4", "-H"]))
        #expect(rows(short.output).count == 2)
        #expect(rows(short.output).sorted() == rows(long.output).sorted())
    }

    @Test func outputGoesToTheFileAndNowhereElse() throws {
        let text = try withTemporaryFile { path in
            try String(repeating: "old", count: 100_000).write(toFile: path, atomically: false, encoding: .utf8)
            let result = try Tool.run(["summary", "--output", path])
            #expect(result.status == 0)
            #expect(result.output.isEmpty)
            #expect(result.errors.isEmpty)
        }
        #expect(text.hasPrefix("STATE"))
        #expect(!text.contains("old"))
    }

    @Test func fileThatCannotBeOpenedIsOneLine() throws {
        let result = try Tool.run(["--output", "/nonexistent/file"])
        #expect(result.status == 1)
        #expect(result.errors == "tcpstates: cannot open /nonexistent/file for writing: No such file or directory\n")
    }

    @Test(arguments: [["list"], ["list", "--json"], ["summary"], ["--help"]])
    func fullDiskIsOneLine(_ arguments: [String]) throws {
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        let result = try Tool.run(arguments, output: full)
        #expect(result.status == 1)
        #expect(result.errors == "tcpstates: cannot write to standard output: No space left on device\n")
    }

    @Test func fullDiskBehindAFileIsOneLine() throws {
        let result = try Tool.run(["--output", "/dev/full"])
        #expect(result.status == 1)
        #expect(result.errors == "tcpstates: cannot write to /dev/full: No space left on device\n")
    }

    @Test func closedStandardOutputIsOneLine() throws {
        let result = try Tool.run(["-c", "exec \"$0\" >&-", Tool.path], program: "/bin/sh")
        #expect(result.status == 1)
        #expect(result.errors == "tcpstates: cannot write to standard output: Bad file descriptor\n")
    }

    @Test(arguments: ["exec \"$0\"", "trap '' PIPE; exec \"$0\""])
    func closedPipeEndsQuietlyHoweverTheSignalWasInherited(_ script: String) throws {
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let result = try Tool.run(
            ["-c", script, Tool.path],
            program: "/bin/sh",
            output: pipe.fileHandleForWriting
        )
        #expect(result.signal == SIGPIPE)
        #expect(result.errors.isEmpty)
    }

    @Test func textIsWrittenInChunksThatAllArrive() throws {
        let text = try withTemporaryFile { path in
            var output = try Output(path: path)
            var buffer = TextBuffer()
            for number in 0..<50_000 {
                buffer.append(decimal: UInt64(number))
                buffer.append(.newline)
                output.drain(&buffer)
                let held = buffer.count
                #expect(held < 64 * 1024)
            }
            output.flush(&buffer)
            try output.close()
        }
        #expect(text == (0..<50_000).map { "\($0)\n" }.joined())
    }

    @Test func firstFailureEndsAllWriting() throws {
        var output = try Output(path: "/dev/full")
        var buffer = TextBuffer()
        buffer.append("text")
        output.flush(&buffer)
        #expect(buffer.string.isEmpty)
        do {
            try output.close()
            Issue.record("a failure was lost")
        } catch {
            #expect(error.description == "cannot write to /dev/full: No space left on device")
        }
    }
}
