// Writes what a watcher reports as JSON Lines, and reads the lines back.
//
//     swift run --package-path Examples/Agent Records FILE SECONDS

import TCPRecords
import TCPWatch

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

let arguments = CommandLine.arguments
guard arguments.count == 3, let seconds = Int(arguments[2]), let file = fopen(arguments[1], "w+") else {
    print("usage: Records FILE SECONDS")
    exit(64)
}
var configuration = SocketWatcher.Configuration()
configuration.reportsExisting = true
let watcher = try SocketWatcher(configuration)
let clock = Task {
    try await Task.sleep(for: .seconds(seconds))
    watcher.stop()
}

var encoder = JSONLinesEncoder()
var written: [Record] = []
for try await event in watcher {
    written.append(Record(event: event))
    encoder.append(event)
    _ = encoder.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
    encoder.removeAll()
}
clock.cancel()

rewind(file)
var line: UnsafeMutablePointer<CChar>?
var capacity = 0
var read: [Record] = []
while getline(&line, &capacity, file) > 0, let text = line {
    do throws(RecordError) {
        read.append(try Record(jsonLine: String(cString: text)))
    } catch {
        print("\(arguments[1]), line \(read.count + 1): \(error)")
    }
}

func states(_ records: [Record]) -> [TCPState] {
    records.compactMap { if case .transition(let transition) = $0.content { transition.to } else { nil } }
}
print("\(written.count) records written, \(read.count) read,", states(written) == states(read) ? "equal" : "different")
