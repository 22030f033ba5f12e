internal import LinuxSystem
internal import SockDiag
internal import Synchronization

/// Runs both closures at the same time, the second on a thread that ends with the call; one after the other where no
/// thread can be had.
///
/// - Throws: what the first throws, else what the second throws; both have ended then.
func concurrently<First, Second: Sendable>(
    _ first: () throws(KernelError) -> First,
    _ second: @escaping @Sendable () throws(KernelError) -> Second
) throws(KernelError) -> (First, Second) {
    let outcome = Mutex<Result<Second, KernelError>?>(nil)
    let thread = try? JoinedThread {
        let result = Result { () throws(KernelError) in try second() }
        outcome.withLock { $0 = result }
    }
    let result = Result { () throws(KernelError) in try first() }
    thread?.join()
    let other = outcome.withLock { $0 } ?? Result { () throws(KernelError) in try second() }
    return (try result.get(), try other.get())
}
