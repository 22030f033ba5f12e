// Program 1: gauges of each state, with an exporter that is slower than the events.
//     StateGauges SECONDS
import SockDiag
import TCPWatch

let time = Duration.seconds(CommandLine.arguments.dropFirst().first.flatMap(Int.init) ?? 10)
var configuration = SocketWatcher.Configuration()
configuration.interval = .milliseconds(50)
configuration.bufferCapacity = 64
let watcher = try SocketWatcher(configuration)
let clock = Task {
    try await Task.sleep(for: time)
    watcher.stop()
}

var gauges = StateGauges()
var exported = 0
for try await event in watcher {
    gauges.take(event)
    exported += 1
    // The exporter: every so many events it takes its time.
    if exported % 16 == 0 { try await Task.sleep(for: .milliseconds(20)) }
}
clock.cancel()
let lost = watcher.metrics.lost[.reader] ?? 0
print("\(exported) events read, \(lost) lost")

var client = try SockDiagClient()
let dump = try client.sockets().map { StateGauges.Key(port: $0.local.port, state: $0.state) }
let shown = dump.filter { $0.state != .closed }.reduce(into: [:]) { $0[$1, default: 0] += 1 }
let listening = Set(shown.keys.filter { $0.state == .listen }.map(\.port))
for (key, count) in gauges.counts where listening.contains(key.port) {
    print("port \(key.port): \(count) in \(key.state)")
}
print(gauges.counts == shown ? "a dump shows the same" : "a dump shows \(shown)")
