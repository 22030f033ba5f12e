internal import LinuxSystem

/// Runs what takes long on a thread of its own, so that no task's thread waits: a dump of a million sockets, a pass over
/// `/proc`, an examination.
///
/// ```swift
/// let owners = try await onOwnThread { () throws(KernelError) in try OwnerSnapshot(in: .all) }
/// ```
///
/// The thread is in the network namespace of the one that called. It is not cancelled: what was begun is finished.
///
/// - Throws: ``KernelError``, as `body` does, or where no thread can be started.
public func onOwnThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws(KernelError) -> Value
) async throws(KernelError) -> Value {
    let result = await withCheckedContinuation {
        (continuation: CheckedContinuation<Result<Value, KernelError>, Never>) in
        do throws(Errno) {
            try JoinedThread.detach {
                do throws(KernelError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        } catch {
            let failure = KernelError(.system, errno: error.rawValue, operation: "start a thread")
            continuation.resume(returning: .failure(failure))
        }
    }
    return try result.get()
}
