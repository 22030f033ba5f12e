internal import LinuxSystem
internal import SockDiag
internal import Synchronization
internal import TableWalk

extension SocketSource {
    /// Writes every socket, namespace by namespace; where there are many in one, in two halves by two threads.
    func write(with renderer: consuming some SocketRenderer & ~Copyable, to output: consuming Output) throws {
        let output = SharedOutput(output)
        var failure: KernelError?
        var count = 0
        renderer.begin()
        do throws(KernelError) {
            try forEachNamespace { namespace throws(KernelError) in
                renderer.names.namespace = namespace
                try write(allOf: namespace, with: &renderer, to: output, counting: &count)
            }
        } catch {
            failure = error
        }
        // What the kernel reported until then is true; a header alone would say that there is nothing.
        if let failure, count == 0 { throw failure }
        renderer.finish()
        output.flush(&renderer.text)
        try output.close()
        reportMissingOwners()
        if let failure { throw failure }
    }

    /// Writes one family after the other. One that the kernel cannot list loses only itself.
    private func write(
        allOf namespace: NetworkNamespace,
        with renderer: inout some SocketRenderer & ~Copyable,
        to output: SharedOutput,
        counting count: inout Int
    ) throws(KernelError) {
        var failure: KernelError?
        if let unixQuery {
            do throws(KernelError) {
                for row in try unixRows(in: namespace, unixQuery) {
                    count += 1
                    renderer.render(row)
                    output.drain(&renderer.text)
                }
            } catch {
                failure = error
            }
        }
        for query in queries {
            do throws(KernelError) {
                let needsNames = renderer.writesCookies
                if var reader = try reader(for: .rows, of: query, in: namespace, needsNames: needsNames) {
                    try write(query, by: &reader, in: namespace, with: &renderer, to: output, counting: &count)
                    continue
                }
                guard renderer.names.hosts == nil, let split = try DumpSplit(of: query, in: namespace) else {
                    try write(query, in: namespace, with: &renderer, to: output, counting: &count)
                    continue
                }
                count += split.sample.count
                renderer.begin(with: split.sample)
                try write(split, in: namespace, with: &renderer, to: output)
            } catch {
                failure = failure ?? error
            }
        }
        do throws(KernelError) {
            try forEachUnlisted(in: namespace) { socket in
                count += 1
                renderer.render(socket)
                output.drain(&renderer.text)
            }
        } catch {
            failure = failure ?? error
        }
        if let failure { throw failure }
    }

    private func write(
        _ query: SocketQuery,
        in namespace: NetworkNamespace,
        with renderer: inout some SocketRenderer & ~Copyable,
        to output: SharedOutput,
        counting count: inout Int
    ) throws(KernelError) {
        try forEach(in: namespace, query) { socket in
            count += 1
            renderer.render(socket)
            output.drain(&renderer.text)
        }
    }

    /// Writes what a walk of the kernel's table shows; by two threads where a processor is idle, part by part.
    private func write<Renderer: SocketRenderer & ~Copyable>(
        _ query: SocketQuery,
        by reader: inout TableReader,
        in namespace: NetworkNamespace,
        with renderer: inout Renderer,
        to output: SharedOutput,
        counting count: inout Int
    ) throws(KernelError) {
        func holds(_ condition: SocketFilter.External, _ socket: borrowing SocketRecord) -> Bool {
            self.holds(condition, for: socket.inode, in: namespace)
        }
        func write(_ socket: borrowing SocketRecord) {
            count += 1
            noteOwner(of: socket.inode)
            renderer.render(socket)
            output.drain(&renderer.text)
        }
        guard reader.count >= sharesFrom, renderer.names.hosts == nil, idleProcessors() > 0 else {
            let mayHaveBound = try reader.mayHaveBound(query)
            try reader.forEachOther(query, mayHaveBound: mayHaveBound, external: holds, write)
            return try reader.forEachConnection(query, external: holds, write)
        }
        let fork = Handed(try reader.fork())
        let (first, second) = try concurrently { () throws(KernelError) in
            try reader.mayHaveBound(query, part: 0, of: 2)
        } _: { () throws(KernelError) in
            try fork.use { reader throws(KernelError) in try reader.mayHaveBound(query, part: 1, of: 2) }
        }
        try reader.forEachOther(query, mayHaveBound: first || second, external: holds, write)
        // The first rows decide the widths of the columns, for both.
        let parts = WalkParts()
        try reader.forEachConnection(query, part: 0, of: WalkParts.count, external: holds, write)
        renderer.begin(with: [])
        // The header, and what comes before the connections, before anything of the other thread's.
        output.flush(&renderer.text)
        let other = Handed(renderer.fork())
        _ = try concurrently { () throws(KernelError) in
            while let part = parts.next() {
                try reader.forEachConnection(query, part: part, of: WalkParts.count, external: holds, write)
            }
        } _: { () throws(KernelError) in
            try fork.use { reader throws(KernelError) in
                try other.use { renderer throws(KernelError) in
                    while let part = parts.next() {
                        try reader.forEachConnection(
                            query,
                            part: part,
                            of: WalkParts.count,
                            external: { self.holds($0, for: $1.inode, in: namespace) }
                        ) { socket in
                            noteOwner(of: socket.inode)
                            renderer.render(socket)
                            output.drain(&renderer.text)
                        }
                    }
                    output.flush(&renderer.text)
                }
            }
        }
    }

    private func write<Renderer: SocketRenderer & ~Copyable>(
        _ split: DumpSplit,
        in namespace: NetworkNamespace,
        with renderer: inout Renderer,
        to output: SharedOutput
    ) throws(KernelError) {
        let other = Handed(renderer.fork())
        _ = try concurrently { () throws(KernelError) in
            var count = 0
            try write(split.halves.0, in: namespace, with: &renderer, to: output, counting: &count)
        } _: { () throws(KernelError) in
            try other.use { renderer throws(KernelError) in
                var count = 0
                try write(split.halves.1, in: namespace, with: &renderer, to: output, counting: &count)
                output.flush(&renderer.text)
            }
        }
    }
}

/// The parts of a table that two threads take in turn; the first one is written before.
private final class WalkParts: Sendable {
    private let taken = Atomic(1)

    static let count = 32

    /// A part that nobody has taken; nil where there is none.
    func next() -> Int? {
        let part = taken.add(1, ordering: .relaxed).oldValue
        return part < Self.count ? part : nil
    }
}

/// Something on its way to the thread that uses it.
// Safe: one thread makes it, and hands it to the one that uses it.
final class Handed<Value: ~Copyable>: @unchecked Sendable {
    private var value: Value

    init(_ value: consuming Value) { self.value = value }

    func use<Result>(_ body: (inout Value) throws(KernelError) -> Result) throws(KernelError) -> Result {
        try body(&value)
    }
}
