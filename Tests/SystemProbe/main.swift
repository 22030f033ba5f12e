import Glibc
import SockDiag
import SocketOwners

// What the libraries find from where a test starts this program: as another user, in another namespace.
//
//   owners INODE…     a line for each inode, then what was not seen
//   namespaces        a line for each network namespace
//   listeners SPACE   a line for each listening port of a namespace
//   leaderless        ends its main thread, answers each line on standard input with the same, until there is none
//
// The last line of the first three says how many descriptors were left open.

let openBefore = try countDescriptors()
do {
    let arguments = CommandLine.arguments.dropFirst(2)
    switch CommandLine.arguments.dropFirst().first {
    case "owners":
        let inodes = arguments.compactMap { UInt32($0) }
        let snapshot = try OwnerSnapshot(of: inodes)
        for inode in inodes { print(inode, snapshot[inode].map(\.description).joined(separator: " ")) }
        print("unreadable \(snapshot.coverage.unreadable) hidden \(snapshot.coverage.hidesProcesses)")
        print("\(snapshot.coverage)")
    case "namespaces":
        for namespace in try NetworkNamespace.all() {
            print(namespace.inode, namespace.label, namespace.containerID ?? "-")
        }
    case "listeners":
        var client = try SockDiagClient(in: try NetworkNamespace(arguments.first ?? ""))
        for socket in try client.sockets(in: .listen) { print("port \(socket.local.port)") }
    default:
        var thread = pthread_t()
        pthread_create(&thread, nil, { @Sendable _ in echo() }, nil)
        pthread_exit(nil)
    }
} catch {
    print("\(error)")
}
print("left open \(try countDescriptors() - openBefore)")

func countDescriptors() throws -> Int {
    var count = 0
    try Directory("/proc/self/fd").forEachNumber { _ in count += 1 }
    return count
}

nonisolated func echo() -> Never {
    while let line = readLine(strippingNewline: false) { write(1, line, line.utf8.count) }
    exit(0)
}
