// What it costs to watch sockets that do nothing: processor time for each poll of them, and memory for each of them.
//
//     WatchCost dump|watch|dictionary POLLS
//
// `dump` receives and decodes, and keeps nothing; `watch` is a SocketWatcher; `dictionary` is a watcher written in the
// obvious way. Prints milliseconds of processor time a poll and bytes of memory a socket.
import Glibc
import SockDiag
import TCPWatch

struct Seen {
    var state: TCPState
    var local: SocketEndpoint
    var remote: SocketEndpoint
    var inode: UInt32?
    var uid: UInt32?
    var since: ContinuousClock.Instant
}

func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    fgets(&line, Int32(line.count), file)
    let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
        separator: " "
    )
    return words.count > 1 ? (Int(words[1]) ?? 0) * Int(getpagesize()) : 0
}

guard CommandLine.arguments.count == 3, let polls = Int(CommandLine.arguments[2]), polls > 0 else {
    print("usage: WatchCost dump|watch|dictionary POLLS")
    exit(64)
}
var client = try SockDiagClient()
var sockets = 0
try client.forEach { _ in sockets += 1 }
let before = residentBytes()
var time = 0.0
var memory = 0

switch CommandLine.arguments[1] {
case "dump":
    var sum: UInt64 = 0
    let start = processorTime()
    for _ in 0..<polls {
        // At the watcher's pace: after a pause the caches are cold, for the kernel too.
        try await Task.sleep(for: .seconds(2))
        try client.forEach(SocketQuery(family: .ipv4)) { sum ^= $0.cookie.rawValue }
    }
    time = (processorTime() - start) / Double(polls)
case "dictionary":
    var known: [SocketCookie: Seen] = [:]
    func poll() throws {
        var missing = Set(known.keys)
        for socket in try client.sockets() {
            missing.remove(socket.cookie)
            guard known[socket.cookie]?.state != socket.state else { continue }
            known[socket.cookie] = Seen(
                state: socket.state,
                local: socket.local,
                remote: socket.remote,
                inode: socket.inode,
                uid: socket.uid,
                since: .now
            )
        }
        for cookie in missing { known[cookie] = nil }
    }
    try poll()
    memory = residentBytes() - before
    let start = processorTime()
    for _ in 0..<polls { try poll() }
    time = (processorTime() - start) / Double(polls)
default:
    func watcher(_ family: AddressFamily) async throws -> SocketWatcher {
        var configuration = SocketWatcher.Configuration()
        configuration.source = .poll
        configuration.reportsExisting = false
        configuration.interval = .seconds(2)
        configuration.family = family
        let watcher = try SocketWatcher(configuration)
        var events = watcher.makeAsyncIterator()
        guard case .ready = try await events.next() else {
            fatalError("the first event of a watcher that reports no sockets")
        }
        return watcher
    }
    // What an empty watcher takes is no socket's: the first one starts the runtime too, the second takes what each does.
    // The benchmark's sockets are IPv4.
    try await watcher(.ipv6).stop()
    let started = residentBytes()
    let empty = try await watcher(.ipv6)
    let fixed = residentBytes() - started
    empty.stop()
    let base = residentBytes()
    let full = try await watcher(.ipv4)
    defer { full.stop() }
    memory = residentBytes() - base - fixed
    let start = processorTime()
    try await Task.sleep(for: .seconds(2 * polls + 1))
    time = (processorTime() - start) / Double(polls)
}
print("\(time * 1000) \(memory / max(sockets, 1))")
