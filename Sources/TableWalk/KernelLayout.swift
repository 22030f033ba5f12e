internal import BPF
internal import SocketValues

/// Where the running kernel's table of connections lies, and what its sockets look like: all of it by the names in BTF.
struct KernelLayout {
    private let types: BTF

    /// The two functions of a loop, and what makes a pointer of a number: open to programs since 6.4 and 6.2.
    let loopBegin, loopNext, loopEnd, cast: Int
    /// The structures that numbers are cast to.
    let common, socket, timeWait, request, namespace: Int
    /// A structure of two numbers of 8 bytes: by a cast to it a pointer is read as a number.
    let pair: Int
    /// Since 6.17 the user is the socket's, before that its inode's.
    let hasInodeUser: Bool

    /// - Throws: ``/SocketValues/KernelError`` where the kernel has no types, or they lack what every walk needs.
    init(path: String) throws(KernelError) {
        types = try BTF.ofKernel(naming: Self.names, path: path)
        (loopBegin, loopNext, loopEnd) = (
            try Self.number("bpf_iter_num_new", types), try Self.number("bpf_iter_num_next", types),
            try Self.number("bpf_iter_num_destroy", types)
        )
        cast = try Self.number("bpf_rdonly_cast", types)
        (common, socket) = (try Self.number("sock_common", types), try Self.number("tcp_sock", types))
        (timeWait, request) = (
            try Self.number("inet_timewait_sock", types), try Self.number("request_sock", types)
        )
        (namespace, pair) = (try Self.number("net", types), try Self.number("timespec64", types))
        hasInodeUser = types.number(of: "sock_i_uid") != nil
        for (structure, size) in [("timespec64", 16), ("inet_ehash_bucket", 8)] where types.size(structure) != size {
            throw Self.missing("\(structure) of \(size) bytes")
        }
    }

    /// The offset of a member.
    func offset(_ structure: String, _ path: String) throws(KernelError) -> Int {
        try member(structure, path).offset
    }

    /// A member by the first of the paths that this kernel has: some have moved.
    func member(_ structure: String, _ paths: String...) throws(KernelError) -> BTF.Member {
        for path in paths {
            if let member = types.member(structure, path) { return member }
        }
        throw Self.missing("\(structure).\(paths.first ?? "")")
    }

    /// Whether there is such a member.
    func has(_ structure: String, _ path: String) -> Bool { types.member(structure, path) != nil }

    /// The number of bytes of a structure.
    func size(_ structure: String) throws(KernelError) -> Int {
        guard let size = types.size(structure) else { throw Self.missing(structure) }
        return size
    }

    /// Reads what lies so far from a register's number as that structure: r0, and r1 to r5 are lost.
    func cast(_ register: Instruction.Register, plus offset: Int, to type: Int) -> [Instruction] {
        [.move(.r1, register), .compute(.r1, .add, Int32(offset)), .set(.r2, Int32(type)), .callFunction(cast)]
    }

    /// Begins the loop of a walk, which lies there on the stack: behind the label `step` r0 is the address of the step's number.
    /// Where there are no more steps it goes on at `exhausted`.
    func begin(loop slot: Int) -> [Instruction] {
        let loop: [Instruction] = [.move(.r1, .r10), .compute(.r1, .add, Int32(slot))]
        return loop + [.set(.r2, 0), .set(.r3, WalkRequest.greatestSteps), .callFunction(loopBegin), .label("step")]
            + loop + [.callFunction(loopNext), .jumpIf(.r0, .equal, 0, "exhausted")]
    }

    /// The end of a walk: r7 is the bucket to go on with. At `done` it is complete; at `end` r3 is another outcome.
    func end(ofLoop slot: Int) -> [Instruction] {
        [
            .label("done"),
            .set(.r3, WalkResult.Outcome.complete.rawValue),
            .label("end"),
            .loadMapValue(.r2, WalkResult.map, WalkResult.next),
            .store(.u64, to: .r2, 0, .r7),
            .loadMapValue(.r2, WalkResult.map, WalkResult.outcome),
            .store(.u64, to: .r2, 0, .r3),
            .move(.r1, .r10),
            .compute(.r1, .add, Int32(slot)),
            .callFunction(loopEnd),
            .set(.r0, 0),
            .exit,
        ]
    }

    /// The number of a structure that only some kernels need.
    func structure(_ name: String) throws(KernelError) -> Int { try Self.number(name, types) }

    private static let names = [
        "bpf_iter_num_new", "bpf_iter_num_next", "bpf_iter_num_destroy", "bpf_rdonly_cast", "sock_common", "tcp_sock",
        "inet_timewait_sock", "request_sock", "net", "timespec64", "inet_ehash_bucket", "inet_hashinfo", "task_struct",
        "nsproxy", "sock_i_uid", "socket_alloc", "inode", "inet_bind2_bucket", "inet_bind_hashbucket",
    ]

    private static func number(_ name: String, _ types: BTF) throws(KernelError) -> Int {
        guard let number = types.number(of: name) else { throw missing(name) }
        return number
    }

    private static func missing(_ what: String) -> KernelError {
        KernelError(
            .kernelTooOld,
            operation: "walk the kernel's table of sockets",
            detail: "this kernel has no \(what)",
            remedy: "have the kernel dump them"
        )
    }
}
