internal import CMnl
internal import LinuxLibC
internal import LinuxSystem
package import SocketValues

/// What a program writes of each object of one of the kernel's iterators, as `task_file`; read once, to its end.
///
/// Source: `kernel/bpf/bpf_iter.c` of the kernel; kernel 5.8.
package struct KernelIterator: ~Copyable {
    private let output: BPFDescriptor
    private let operation: String
    private let entrySize: Int

    /// Loads the program, and begins. It writes each entry by `seq_write`.
    ///
    /// - Parameters:
    ///   - name: the iterator's.
    ///   - function: the number of its function in BTF.
    ///   - entrySize: how many bytes the program writes of an object.
    ///   - operation: for errors of ``forEach(_:)``, after "cannot".
    ///   - listing: the program.
    /// - Throws: ``/SocketValues/KernelError``.
    package init(
        _ name: String,
        function: Int,
        entrySize: Int,
        operation: String,
        _ listing: [Instruction]
    ) throws(KernelError) {
        let program = try BPFDescriptor.program(Program(listing), type: function, for: .iterator(name))
        output = try BPFDescriptor.output(of: program)
        self.operation = operation
        self.entrySize = entrySize
    }

    /// Calls `body` with each entry.
    ///
    /// - Throws: ``/SocketValues/KernelError``; what was reported until then is not all.
    package func forEach(_ body: (RawSpan) -> Void) throws(KernelError) {
        // The kernel gives 32 KiB at once, of whole entries.
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let length = read(output.number, &buffer, buffer.count)
            guard length != 0 else { return }
            guard length > 0 else {
                // After a million objects the kernel answers EAGAIN, and goes on at the next call.
                if errno == EINTR || errno == EAGAIN { continue }
                throw KernelError(bpf: errno, operation)
            }
            let entries = buffer.span.bytes.extracting(first: length)
            for offset in stride(from: 0, through: length - entrySize, by: entrySize) {
                body(entries.extracting(offset..<(offset + entrySize)))
            }
        }
    }
}
