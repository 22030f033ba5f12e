// Program 3: a watcher that is steered while it runs, and measured.
//     Steering NAMESPACE
import SockDiag
import TCPWatch

let watcher = try SocketWatcher()
let (readies, ready) = AsyncStream<Int>.makeStream()
let reader = Task {
    var sockets = 0
    for try await event in watcher {
        switch event {
        case .socket(let socket):
            sockets += 1
            print(socket.namespace?.description ?? "here", socket)
        case .ready:
            ready.yield(sockets)
            sockets = 0
        case .transition(let transition): print(transition.identity.local, transition.to)
        case .gap(let gap): print("gap:", gap.reason)
        default: break
        }
    }
    ready.finish()
}
var reports = readies.makeAsyncIterator()
func report(_ step: String) async {
    if let count = await reports.next() { print("\(step): \(count) sockets") }
}
await report("all")

try await watcher.update(filter: .state(.listen))
await report("listeners")
try await watcher.update(interval: .milliseconds(100))
watcher.resynchronize()
await report("anew")

let namespace = try NetworkNamespace(CommandLine.arguments[1])
try await watcher.add(namespace)
watcher.resynchronize()
await report("with \(namespace)")
try await watcher.remove(namespace)
try await watcher.followAllNamespaces()

let metrics = watcher.metrics
print("\(metrics.events) events, \(metrics.dumps) dumps, \(metrics.lookups) lookups, \(metrics.sockets) sockets")
print("lost: \(metrics.lost), ring: \(metrics.ringFill ?? 0), \(metrics.processorTime) of a processor")
watcher.stop()
try await reader.value
