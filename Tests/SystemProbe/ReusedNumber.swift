import Glibc
import LinuxSystem
import SockDiag
import SocketLeaks
import SocketOwners

/// Gives the number of a process that has ended to a stranger who holds a listener, and says who is taken for whom.
/// Process 1 of a PID namespace of its own does that.
func reuseNumber() throws {
    let proc = try ProcessDirectory()
    let ended = spawnSleep()
    guard let process = ProcessIdentity(of: ended, in: proc) else { return print("no process") }
    var search = try ForgottenSockets(of: .process(ended))
    end(ended)
    // So that the stranger starts at another tick of the clock.
    usleep(20_000)
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    listen(listener, 1)
    // The stranger inherits one more, that it has forgotten.
    _ = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var status = stat()
    fstat(listener, &status)
    let inode = UInt32(truncatingIfNeeded: status.st_ino)

    let counter = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC)
    let number = "\(ended - 1)"
    guard counter >= 0, write(counter, number, number.utf8.count) == number.utf8.count else {
        return print("refused \(errno)")
    }
    let stranger = spawnSleep()
    defer { end(stranger) }
    guard let other = ProcessIdentity(of: stranger, in: proc) else { return print("no stranger") }
    print("same number \(stranger == ended) same process \(other == process)")
    let byNumber = try OwnerSnapshot(of: [inode], in: ProcessSelection(pids: [ended]))[inode]
    print("by number \(byNumber.count)")
    print("by process \(try HolderSnapshot(of: [inode], in: [process])[inode].count)")
    print("stranger's own \(try HolderSnapshot(of: [inode], in: [other])[inode].count)")
    print("running \(process.isRunning(in: proc)) \(other.isRunning(in: proc))")
    let found = try search.find(olderThan: .zero)
    print("forgotten \(found.sockets.count) ended \(found.coverage.ended == [process])")
    var another = try ForgottenSockets(of: .process(stranger))
    print("stranger forgot \(try another.find(olderThan: .zero).sockets.count)")
    print("descendants \(try ProcessIdentity.descendants() == [other])")
}

private func spawnSleep() -> pid_t {
    var pid: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
    posix_spawnp(&pid, "sleep", nil, nil, &arguments, environ)
    return pid
}

private func end(_ process: pid_t) {
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
}
