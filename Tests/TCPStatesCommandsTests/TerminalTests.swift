import CMnl  // may own winsize for the compiler
import Foundation
import Glibc
import LinuxSystem
import SockDiag
import Synchronization
import Testing

@testable import TCPStatesCommands

@Suite struct TerminalTests {
    /// What the tool shows on a terminal of so many columns.
    private func show(
        _ arguments: [String],
        columns: UInt16 = 80,
        environment: [String: String?] = [:]
    ) throws -> String {
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        var (main, side): (Int32, Int32) = (-1, -1)
        try #require(openpty(&main, &side, nil, nil, &size) == 0)
        defer { close(main) }
        // A terminal that nobody reads takes a few kilobytes. The last writer gone, what is left is read; then comes EIO.
        let text = Mutex([UInt8]())
        let reader = try JoinedThread { [main] in
            var chunk = [UInt8](repeating: 0, count: 4096)
            while case let count = read(main, &chunk, chunk.count), count > 0 {
                text.withLock { $0 += chunk[..<count] }
            }
        }
        let environment = ["TERM": "xterm"].merging(environment) { $1 }
        let terminal = FileHandle(fileDescriptor: side, closeOnDealloc: false)
        let result = Result { try Tool.run(arguments, environment: environment, output: terminal) }
        close(side)
        reader.join()
        #expect(try result.get().status == 0)
        return String(decoding: text.withLock { $0 }, as: UTF8.self).replacing("\r\n", with: "\n")
    }

    @Test func aTerminalShowsColours() throws {
        #expect(try show(["summary"]).contains("\u{1b}[32mESTABLISHED\u{1b}[0m"))
    }

    @Test(
        arguments: [
            (["summary"], ["NO_COLOR": "1"], false), (["summary"], ["NO_COLOR": ""], true),
            (["summary"], ["TERM": "dumb"], false), (["summary", "--color", "never"], [:], false),
            (["summary", "--color", "always"], ["NO_COLOR": "1"], true),
        ]
    )
    func coloursCanBeRefused(_ arguments: [String], _ environment: [String: String], _ hasColor: Bool) throws {
        #expect(try show(arguments, environment: environment).contains("\u{1b}[") == hasColor)
    }

    @Test func aPipeShowsColoursOnDemandAlone() throws {
        #expect(try !Tool.run(["summary"]).output.contains("\u{1b}["))
        #expect(try Tool.run(["summary", "--color", "always"]).output.contains("\u{1b}["))
    }

    @Test(arguments: [80, 120] as [UInt16])
    func detailsFitTheTerminal(_ columns: UInt16) throws {
        let connection = try LoopbackConnection()
        let text = try show(["-4", "-imoe", "--color", "never"], columns: columns)
        let lines = text.split(separator: "\n")
        let row = try #require(lines.firstIndex { $0.contains(" 127.0.0.1:\(connection.clientPort) ") })
        let details = lines[(row + 1)...].prefix { $0.hasPrefix("    ") }
        #expect(details.count >= 3)
        for line in details { #expect(line.utf8.count <= columns) }
    }

    @Test func columnsWinsOverTheTerminal() throws {
        let connection = try LoopbackConnection()
        let text = try show(["-4", "-i", "-H", "--color", "never"], columns: 80, environment: ["COLUMNS": "400"])
        #expect(text.contains("127.0.0.1:\(connection.clientPort)"))
        #expect(text.split(separator: "\n").contains { $0.utf8.count > 120 })
    }

    @Test func aPipeHasLinesOfAnyLength() throws {
        let connection = try LoopbackConnection()
        let lines = try Tool.run(["-4", "-i", "-H"]).output.split(separator: "\n")
        let row = try #require(lines.firstIndex { $0.contains(" 127.0.0.1:\(connection.clientPort) ") })
        #expect(lines[row + 1].hasPrefix("    "))
        #expect(lines[row + 1].contains(" rtt:"))
        #expect(lines[row + 1].contains(" snd_wnd:"))
    }
}
