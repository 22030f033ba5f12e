// What it costs to receive each transition: of sockets that do nothing, and of connections that come and go.
//
//     TraceCost idle SECONDS                        watches what is there: % of a processor, bytes a socket
//     TraceCost none|poll|trace RATE SECONDS        makes so many connections a second, 0 for all that it can:
//         connections a second, µs of the workload's processor time for each, µs of the watcher's for each transition,
//         % of a processor, transitions that were reported, and what was lost
import Glibc
import SockDiag
import Synchronization
import TCPWatch

func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var size = 0
    var resident = 0
    withUnsafeMutablePointer(to: &size) { first in
        withUnsafeMutablePointer(to: &resident) { second in
            _ = withVaList([first, second]) { vfscanf(file, "%ld %ld", $0) }
        }
    }
    return resident * Int(getpagesize())
}

/// What a reader has received.
final class Count: Sendable {
    let transitions = Atomic<Int>(0)
    let lost = Atomic<Int>(0)
    let isReady = Atomic<Bool>(false)

    func note(_ event: SocketEvent) {
        switch event {
        case .ready: isReady.store(true, ordering: .releasing)
        case .transition(let transition): transitions.add(1 + transition.via.count, ordering: .relaxed)
        case .gap(let gap): lost.add(Int(gap.lost ?? 1), ordering: .relaxed)
        default: break
        }
    }
}

/// Connections over loopback, each opened, used and closed by both sides.
struct Workload {
    private let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    /// Chosen by the kernel, so that several can run at once.
    private let port: UInt16
    private static let size = socklen_t(MemoryLayout<sockaddr_in>.size)

    init() {
        var address = Self.address(1, port: 0)
        var size = Self.size
        let (listener, length) = (listener, Self.size)
        let isReady = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 128) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        guard isReady else { fatalError("no listener: \(String(cString: strerror(errno)))") }
        port = UInt16(bigEndian: address.sin_port)
    }

    private static func address(_ last: UInt32, port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = (0x7f00_0000 + last).bigEndian
        return address
    }

    /// Makes connections; returns the number of them.
    func run(rate: Double, until end: Double) -> Int {
        let begin = seconds(CLOCK_MONOTONIC)
        var count = 0
        while true {
            let now = seconds(CLOCK_MONOTONIC)
            if now >= end { return count }
            if rate > 0, now < begin + Double(count) / rate {
                usleep(200)
                continue
            }
            connectOnce(count)
            count += 1
        }
    }

    private func connectOnce(_ index: Int) {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var on: Int32 = 1
        setsockopt(client, Int32(IPPROTO_IP), 24, &on, 4)  // IP_BIND_ADDRESS_NO_PORT
        var (source, target) = (Self.address(2 + UInt32(index / 20_000 % 200), port: 0), Self.address(1, port: port))
        let isOpen = withUnsafePointer(to: &source) { source in
            withUnsafePointer(to: &target) { target in
                source.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(client, $0, Self.size) } == 0
                    && target.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, Self.size) } == 0
            }
        }
        guard isOpen else {
            close(client)
            return
        }
        let accepted = accept(listener, nil, nil)
        var bytes: (UInt64, UInt64) = (1, 2)
        send(client, &bytes, 16, 0)
        recv(accepted, &bytes, 16, 0)
        close(client)
        close(accepted)
    }
}

let arguments = CommandLine.arguments
guard arguments.count >= 3, let time = Double(arguments[arguments.count - 1]) else {
    print("usage: TraceCost idle SECONDS | none|poll|trace RATE SECONDS")
    exit(64)
}
let before = residentBytes()
let count = Count()
var watcher: SocketWatcher?
if arguments[1] != "none" {
    var configuration = SocketWatcher.Configuration()
    configuration.source = arguments[1] == "poll" ? .poll : .trace
    configuration.reportsExisting = false
    configuration.bufferCapacity = 1 << 20
    let made = try SocketWatcher(configuration)
    watcher = made
    Task.detached { for try await event in made { count.note(event) } }
    while !count.isReady.load(ordering: .acquiring) { try await Task.sleep(for: .milliseconds(5)) }
}
guard arguments.count == 4, let rate = Double(arguments[2]) else {
    var client = try SockDiagClient()
    var sockets = 0
    try client.forEach { _ in sockets += 1 }
    let memory = residentBytes() - before
    let start = seconds(CLOCK_PROCESS_CPUTIME_ID)
    try await Task.sleep(for: .seconds(time))
    print((seconds(CLOCK_PROCESS_CPUTIME_ID) - start) / time * 100, memory / max(sockets, 1))
    exit(0)
}
let workload = Workload()
let (begin, beginAll) = (seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID))
let own = seconds(CLOCK_THREAD_CPUTIME_ID)
let made = workload.run(rate: rate, until: begin + time)
let mine = seconds(CLOCK_THREAD_CPUTIME_ID) - own
let elapsed = seconds(CLOCK_MONOTONIC) - begin
try await Task.sleep(for: .milliseconds(500))
let theirs = max(seconds(CLOCK_PROCESS_CPUTIME_ID) - beginAll - mine, 0)
let transitions = count.transitions.load(ordering: .relaxed)
/// Three decimal places are more than is true.
func rounded(_ number: Double) -> Double { (number * 1000).rounded() / 1000 }
print(
    rounded(Double(made) / elapsed),
    rounded(mine / Double(max(made, 1)) * 1e6),
    rounded(theirs / Double(max(transitions, 1)) * 1e6),
    rounded(theirs / elapsed * 100),
    transitions,
    count.lost.load(ordering: .relaxed)
)
withExtendedLifetime(watcher) {}
