internal import BPF
internal import LinuxLibC
internal import LinuxSystem
package import SocketValues

/// The descriptors of all processes, from the kernel's own tables: a small program runs for each of them.
///
/// ```swift
/// try TaskFileIterator().forEach { print($0.pid, $0.descriptor, $0.socketInode ?? 0) }
/// ```
///
/// A descriptor costs 0.4 µs, where a link of `/proc/PID/fd` costs 3. The start costs some milliseconds.
///
/// Source: the iterator `task_file` of `kernel/bpf/task_iter.c`; kernel 5.8.
package struct TaskFileIterator: ~Copyable {
    /// A descriptor of a process.
    package struct Entry {
        package let pid: Int32
        package let descriptor: Int32
        /// Nil where it is no socket's.
        package let socketInode: UInt64?
    }

    private let iterator: KernelIterator

    /// What a program writes of a descriptor: pid, number and inode, one after the other.
    private static let entrySize = 16
    private static let operation = "read the descriptors of all processes"

    /// Whether this process may use it and its numbers mean what they mean elsewhere: in the first PID namespace, and with
    /// the privileges that `/proc` asks for as well.
    package static var isUsable: Bool {
        var status = stat()
        guard stat("/proc/self/ns/pid", &status) == 0, status.st_ino == FirstNamespace.pid else { return false }
        let held = Capabilities.effective ?? []
        return held.isSuperset(of: [.ptrace, .readSearch]) && BPFSupport.here().isComplete
    }

    /// Loads the program.
    ///
    /// - Throws: ``/SockDiag/KernelError``.
    package init() throws(KernelError) {
        let types = try BTF.ofKernel(naming: [Self.function, Self.context] + Self.structures)
        guard let function = types.number(of: Self.function) else { throw Self.missing(Self.function) }
        iterator = try KernelIterator(
            "task_file",
            function: function,
            entrySize: Self.entrySize,
            operation: Self.operation,
            Self.listing(types)
        )
    }

    /// Calls `body` with each descriptor, those of one process after those of another; once.
    ///
    /// - Throws: ``/SockDiag/KernelError``; what was reported until then is not all.
    package func forEach(_ body: (Entry) -> Void) throws(KernelError) {
        try iterator.forEach { entry in
            guard let pid: Int32 = entry.number(at: 0), let descriptor: Int32 = entry.number(at: 4),
                let inode: UInt64 = entry.number(at: 8)
            else { return }
            body(Entry(pid: pid, descriptor: descriptor, socketInode: inode == 0 ? nil : inode))
        }
    }

    private static let function = "bpf_iter_task_file"
    private static let context = "bpf_iter__task_file"
    private static let structures = ["bpf_iter_meta", "task_struct", "file", "inode"]

    /// r6 is the context, r7 the task and r8 the file.
    private static func listing(_ types: BTF) throws(KernelError) -> [Instruction] {
        func member(_ structure: String, _ name: String) throws(KernelError) -> Int {
            guard let member = types.member(structure, name) else { throw missing("\(structure).\(name)") }
            return member.offset
        }
        return try [
            .move(.r6, .r1),
            .load(.r7, .u64, from: .r6, member(context, "task")),  // if (!ctx->task || !ctx->file) goto out
            .jumpIf(.r7, .equal, 0, "out"),
            .load(.r8, .u64, from: .r6, member(context, "file")),
            .jumpIf(.r8, .equal, 0, "out"),
            .load(.r1, .u32, from: .r7, member("task_struct", "tgid")),  // entry.pid = task->tgid
            .store(.u32, to: .r10, -16, .r1),
            .load(.r1, .u32, from: .r6, member(context, "fd")),  // entry.descriptor = ctx->fd
            .store(.u32, to: .r10, -12, .r1),
            .set(.r3, 0),
            .load(.r2, .u64, from: .r8, member("file", "f_inode")),  // r2 = file->f_inode
            .load(.r1, .u16, from: .r2, member("inode", "i_mode")),
            .compute(.r1, .and, 0xf000),  // if ((inode->i_mode & S_IFMT) != S_IFSOCK) goto other
            .jumpIf32(.r1, .notEqual, 0xc000, "other"),
            .load(.r3, .u64, from: .r2, member("inode", "i_ino")),
            .label("other"),
            .store(.u64, to: .r10, -8, .r3),  // entry.inode = the inode's number, or 0
            .load(.r1, .u64, from: .r6, member(context, "meta")),
            .load(.r1, .u64, from: .r1, member("bpf_iter_meta", "seq")),
            .move(.r2, .r10),  // seq_write(ctx->meta->seq, &entry, sizeof entry)
            .compute(.r2, .add, -Int32(entrySize)),
            .set(.r3, Int32(entrySize)),
            .call(.seq_write),
            .label("out"),
            .set(.r0, 0),
            .exit,
        ]
    }

    private static func missing(_ what: String) -> KernelError {
        KernelError(
            .kernelTooOld,
            operation: operation,
            detail: "this kernel has no \(what)",
            remedy: "read them in /proc"
        )
    }
}
