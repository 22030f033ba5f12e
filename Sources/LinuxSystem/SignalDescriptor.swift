internal import CMnl
internal import LinuxLibC
internal import SocketValues

/// Signals that are read from a descriptor instead of interrupting the process. The value blocks them for the calling
/// thread as long as it lives; threads that are started meanwhile have them blocked too.
///
/// Source: `signalfd(2)`.
package struct SignalDescriptor: ~Copyable {
    /// Readable while a signal waits.
    package let descriptor: Int32
    /// Which signals were blocked before.
    private let formerMask: sigset_t

    /// A signal that came.
    package struct Signal: Hashable, Sendable {
        package let number: Int32
        /// Whether the kernel sent it, as a terminal's to everyone in the foreground; else a process did.
        package let isFromKernel: Bool
    }

    /// Begins to take the signals.
    package init(_ signals: [Int32]) throws(Errno) {
        var set = sigset_t()
        var former = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        let result = cmnl_signal_descriptor(&set, O_CLOEXEC | O_NONBLOCK)
        guard result >= 0 else { throw .last }
        pthread_sigmask(SIG_BLOCK, &set, &former)
        descriptor = result
        formerMask = former
    }

    deinit {
        var former = formerMask
        pthread_sigmask(SIG_SETMASK, &former, nil)
        close(descriptor)
    }

    /// The next signal that waits; nil where none does.
    package func next() -> Signal? {
        // `struct signalfd_siginfo` of `<linux/signalfd.h>`: ssi_signo, ssi_errno, ssi_code, 32 bits each.
        var info = InlineArray<128, UInt8>(repeating: 0)
        var span = info.mutableSpan
        let length = span.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        let bytes = info.span.bytes
        guard length == bytes.byteCount, let number: Int32 = bytes.number(at: 0), let code: Int32 = bytes.number(at: 8)
        else { return nil }
        // Processes send with SI_USER (0), SI_QUEUE or SI_TKILL, all of them 0 or below (`<asm-generic/siginfo.h>`).
        return Signal(number: number, isFromKernel: code > 0)
    }
}
