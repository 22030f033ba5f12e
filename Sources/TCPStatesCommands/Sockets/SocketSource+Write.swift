internal import SockDiag

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

    private func write<Renderer: SocketRenderer & ~Copyable>(
        _ split: DumpSplit,
        in namespace: NetworkNamespace,
        with renderer: inout Renderer,
        to output: SharedOutput
    ) throws(KernelError) {
        let other = OtherHalf(renderer.fork())
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

/// A renderer on its way to the thread that uses it.
// Safe: one thread makes it, and hands it to the one that uses it.
private final class OtherHalf<Renderer: SocketRenderer & ~Copyable>: @unchecked Sendable {
    private var renderer: Renderer

    init(_ renderer: consuming Renderer) { self.renderer = renderer }

    func use(_ body: (inout Renderer) throws(KernelError) -> Void) throws(KernelError) { try body(&renderer) }
}
