import Dispatch
import Glibc
import KernelTrace
import LinuxSystem
import SockDiag
import SocketLeaks
import SocketOwners
import TCPWatch

// What the libraries find from where a test starts this program: as another user, in another namespace.
//
//   owners INODE…     a line for each inode, then what was not seen
//   access            a line for each thing that can be seen, or why not
//   iterator          how many of its descriptors the kernel's iterator has not shown
//   namespaces        a line for each network namespace
//   listeners SPACE   a line for each listening port of a namespace
//   watch SOURCE      a line for each event until a listener ends, then what the watcher has left behind
//   embedded          how many threads there are while a watcher without one has been driven
//   reused-number     who holds a listener once its holder has another process' number, see reuseNumber()
//   script WORD…      does to sockets what the words say, see script(_:)
//   receive           holds a descriptor that it is passed, for a script
//   forget WORD…      forgets sockets as programs do, see forget(_:)
//   forgotten PID     how many sockets a process forgot, then what was not seen
//   leaderless        ends its main thread, answers each line on standard input with the same, until there is none
//
// The last line of the first seven says how many descriptors were left open.

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
    case "access":
        for answer in WatchAccess.current().answers {
            print(answer.capability.rawValue, answer.shortfall?.description ?? "yes")
        }
    case "iterator":
        var count = 0
        try TaskFileIterator().forEach { count += $0.pid == getpid() ? 1 : 0 }
        // Either way of counting takes a descriptor itself.
        print("missing \(try countDescriptors() - count)")
    case "namespaces":
        for namespace in try NetworkNamespace.all() {
            print(namespace.inode, namespace.label, namespace.containerID ?? "-")
        }
    case "listeners":
        var client = try SockDiagClient(in: try NetworkNamespace(arguments.first ?? ""))
        for socket in try client.sockets(in: .listen) { print("port \(socket.local.port)") }
    case "watch":
        let source = SocketWatcher.Source(rawValue: arguments.first ?? "") ?? .poll
        let isEnded = DispatchSemaphore(value: 0)
        Task.detached {
            await watch(by: source)
            isEnded.signal()
        }
        isEnded.wait()
    case "embedded":
        let watcher = try EmbeddedSocketWatcher()
        var isReady = false
        while !isReady { try watcher.drain { if case .ready = $0 { isReady = true } } }
        var count = 0
        try Directory("/proc/self/task").forEachNumber { _ in count += 1 }
        print("threads \(count)")
    case "reused-number": try reuseNumber()
    case "script": script(Array(arguments))
    case "receive": receive()
    case "forget": forget(Array(arguments))
    case "forgotten":
        let selection = arguments.first.flatMap { Int32($0) }.map(ProcessSelection.process) ?? .all
        var search = try ForgottenSockets(of: selection)
        let found = try search.find(olderThan: .zero)
        print("found \(found.sockets.count) unreadable \(found.coverage.processes.unreadable)")
        print(found.coverage)
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

/// Watches until a listener ends, cancels the watching task, and says how many of the watcher's threads are left.
nonisolated func watch(by source: SocketWatcher.Source) async {
    let before = ownDescriptors()
    let (stops, stop) = AsyncStream<Void>.makeStream()
    let watching = Task {
        do {
            var configuration = SocketWatcher.Configuration()
            configuration.interval = .milliseconds(20)
            configuration.source = source
            for try await event in try SocketWatcher(configuration) {
                switch event {
                case .socket(let socket): say("socket", socket.state)
                case .ready: say("ready")
                case .transition(let transition):
                    say("transition", transition.from ?? .closed, transition.to)
                    if transition.from == .listen { stop.yield() }
                case .gap, .slowed, .retransmission: break
                }
            }
            say("end")
        } catch {
            say("\(error)")
        }
        stop.finish()
    }
    for await _ in stops { watching.cancel() }
    await watching.value
    // The thread says that it has ended a moment before it has.
    let deadline = ContinuousClock.now + .seconds(10)
    while threads(named: "tcpstates-watch") > 0, .now < deadline { sched_yield() }
    say("threads", threads(named: "tcpstates-watch"), "descriptors", ownDescriptors() - before)
}

/// The descriptors that are open, but for those that the Swift runtime keeps for its own timers and threads.
nonisolated func ownDescriptors() -> Int {
    var count = 0
    guard let descriptors = try? Directory("/proc/self/fd") else { return -1 }
    descriptors.forEachName { name in
        var link = [CChar](repeating: 0, count: 64)
        let length = readlinkat(descriptors.descriptor, name, &link, link.count)
        let target = link.prefix(max(length, 0)).map(UInt8.init(bitPattern:))
        if !target.starts(with: "anon_inode:".utf8) { count += 1 }
        return true
    }
    return count
}

nonisolated func threads(named name: String) -> Int {
    var count = 0
    guard let tasks = try? Directory("/proc/self/task") else { return -1 }
    tasks.forEachNumber { id in
        if ProcessName(commOf: "\(id)", in: tasks.descriptor)?.description == name { count += 1 }
    }
    return count
}

nonisolated func say(_ items: Any...) {
    print(items.map { "\($0)" }.joined(separator: " "))
    fflush(nil)
}
