internal import CLab
internal import LinuxSystem
internal import SockDiag
internal import Synchronization

/// Runs the closure where a seccomp filter denies netlink sockets with this errno, to the programs that it starts too;
/// nil where the kernel has no such filters.
package func withoutNetlink<Value: Sendable>(
    errno: Int32,
    _ body: @escaping @Sendable () throws -> Value
) throws -> Value? {
    try inSandbox({ clab_deny_netlink(errno) }, body)
}

/// Runs the closure where Landlock denies to read other processes, to the programs that it starts too, which can read each
/// other; nil where the kernel has no Landlock.
package func confined<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value? {
    try inSandbox(clab_confine, body)
}

private func inSandbox<Value: Sendable>(
    _ enter: @escaping @Sendable () -> Int32,
    _ body: @escaping @Sendable () throws -> Value
) throws -> Value? {
    let outcome = Mutex<Result<Value, any Error>?>(nil)
    // It is the thread's, and stays: so the thread is one of its own.
    let thread = try JoinedThread {
        guard enter() == 0 else { return }
        let result = Result { try body() }
        outcome.withLock { $0 = result }
    }
    thread.join()
    return try outcome.withLock { $0 }?.get()
}
