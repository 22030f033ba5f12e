// Program 4: an event loop of one's own, without a task and without another thread.
//     EventLoop < commands, until the end of its standard input
import Glibc
import TCPWatch

let watcher = try EmbeddedSocketWatcher()
var isOpen = true
while isOpen {
    var waited = [
        pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
        pollfd(fd: watcher.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&waited, nfds_t(waited.count), -1) > 0 else { continue }
    if waited[0].revents != 0 {
        var bytes = [UInt8](repeating: 0, count: 256)
        isOpen = read(STDIN_FILENO, &bytes, bytes.count) > 0
    }
    if waited[1].revents != 0 {
        isOpen =
            try isOpen
            && watcher.drain { event in
                switch event {
                case .socket(let socket): print("there is", socket)
                case .ready: print("ready")
                case .transition(let transition): print(transition.identity.local, transition.to)
                default: break
                }
            }
        fflush(nil)
    }
}
print("\(watcher.metrics.events) events")
