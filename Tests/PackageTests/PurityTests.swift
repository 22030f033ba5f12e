internal import Testing

/// The compiler sees to it that the tracker has no target with I/O beneath it; libc it would let in.
@Suite("The tracker and its values do no I/O")
struct PurityTests {
    @Test(arguments: ["SocketValues", "ConnectionTracking"])
    func `Nothing is imported that has a clock, a thread, a lock or a file`(target: String) throws {
        let files = Repository.sources(in: "Sources/\(target)")
        #expect(files.count > 10, "the sources are elsewhere")
        for file in files {
            let imported = Set(Import.all(in: try Repository.text(of: file)).map(\.module))
            #expect(imported.isSubset(of: ["SocketValues", "Swift"]), "\(file) imports \(imported)")
        }
    }

    @Test func `No target imports Foundation, the command line's included`() throws {
        for file in Repository.sources(in: "Sources") {
            let imported = Set(Import.all(in: try Repository.text(of: file)).map(\.module))
            #expect(!imported.contains { $0.hasPrefix("Foundation") }, "\(file)")
        }
    }

    @Test(
        arguments: [
            ("import Glibc", "Glibc"), ("@preconcurrency internal import Dispatch", "Dispatch"),
            ("  package import struct Foundation.Data  // why", "Foundation"), ("@testable import CMnl;", "CMnl"),
            ("// import Glibc", nil), ("let important = 1", nil), ("/// what an import brings in", nil),
        ] as [(String, String?)]
    )
    func `An import is found in any of its forms`(line: String, module: String?) {
        #expect(Import(line: line[...])?.module == module)
    }

    @Test(
        arguments: [
            ("public import SockDiag", true), ("@_exported public import SockDiag", true),
            ("package import struct SockDiag.TCPInfo", true), ("internal import SockDiag", false),
            ("private import SockDiag", false), ("import SockDiag", false),
        ]
    )
    func `It is known whether an import is passed on`(line: String, isPassedOn: Bool) {
        #expect(Import(line: line[...])?.isPassedOn == isPassedOn)
    }
}
