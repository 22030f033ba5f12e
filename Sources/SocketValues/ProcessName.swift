/// The name of a process, as its main thread bears it: at most 15 bytes, which the process itself chooses freely.
///
/// Prints with whatever could deceive a terminal escaped, see ``description``; ``bytes`` has them as they are.
///
/// Source: `/proc/PID/comm`, `TASK_COMM_LEN` of `<linux/sched.h>`, `PR_SET_NAME` of `prctl(2)`.
public struct ProcessName: Hashable, Sendable {
    /// The bytes, first one lowest; zero behind the last.
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    /// What the kernel keeps of a name. Longer ones are cut as it does.
    public static let maximumLength = 15

    /// The name of these bytes, up to the first zero.
    public init(bytes: some Sequence<UInt8>) {
        for (index, byte) in bytes.prefix(Self.maximumLength).enumerated() {
            guard byte != 0 else { return }
            if index < 8 { low |= UInt64(byte) << (8 * index) } else { high |= UInt64(byte) << (8 * (index - 8)) }
        }
    }

    /// The name as a user types it. `systemd-networkd` becomes `systemd-network`, which is what that process is called.
    public init(_ name: String) { self.init(bytes: name.utf8) }

    /// Whether there is none.
    package var isEmpty: Bool { low == 0 && high == 0 }

    /// The bytes, of no particular encoding.
    public var bytes: [UInt8] { withBytes { [UInt8]($0) } }

    /// The name as it is, where it is UTF-8; what is not is replaced. Made without an allocation.
    package var text: String { withBytes { String(decoding: $0, as: UTF8.self) } }

    private func withBytes<Result>(_ body: (UnsafeRawBufferPointer.SubSequence) -> Result) -> Result {
        withUnsafeBytes(of: (low.littleEndian, high.littleEndian)) { body($0.prefix { $0 != 0 }) }
    }
}

extension ProcessName: CustomStringConvertible {
    /// The name for people: what does not print, and what is no UTF-8, as `\x1b`; a backslash as `\\`.
    public var description: String { String(escaping: bytes) }
}
