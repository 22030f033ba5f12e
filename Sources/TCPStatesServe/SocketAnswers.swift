#if Serve
    internal import NIOCore
    internal import NIOHTTP1
    internal import NIOPosix
    internal import SockDiag
    internal import SocketOwners
    internal import Synchronization
    internal import TCPRecords
    internal import TCPWatch

    /// Dumps that somebody asks for: what a filter finds, and the listeners with their queues. They are made on the server's one
    /// thread for such, and left where nobody waits for them any more.
    struct SocketAnswers: Sendable {
        let configuration: ServeConfiguration
        let pool: NIOThreadPool

        /// A dump that can be left.
        final class Call: Sendable {
            private let flag = Atomic(true)
            var isWanted: Bool { flag.load(ordering: .relaxed) }
            func forget() { flag.store(false, ordering: .relaxed) }
        }

        /// The sockets that a filter finds, a record a line.
        func sockets(_ text: String, on loop: any EventLoop) -> Routes.Answer {
            var filter = configuration.watching.filter
            if !text.allSatisfy(\.isWhitespace) {
                do throws(SocketFilterError) {
                    let asked = try SocketFilter(text)
                    filter = filter.map { $0 && asked } ?? asked
                    let asksOwners = asked.externals.contains { if case .networkNamespace = $0 { false } else { true } }
                    guard configuration.showsOwners || !asksOwners else {
                        return .now(
                            Response(.forbidden, "who holds a socket is not told here; --processes has it told")
                        )
                    }
                } catch {
                    return .now(Response(.badRequest, "\(error.description)\n\(error.excerpt)"))
                }
            }
            let (call, wanted) = (Call(), filter)
            let response = pool.runIfActive(eventLoop: loop) {
                try list(wanted, while: { call.isWanted })
            }.flatMapErrorThrowing { error in
                // A filter may ask for an interface that is not there, or for what only some may see.
                let status: HTTPResponseStatus =
                    switch (error as? KernelError)?.code {
                    case .notFound?: .badRequest
                    case .missingCapability?: .forbidden
                    default: .serviceUnavailable
                    }
                return Response(status, "\(error)")
            }
            return .later(response, forget: { call.forget() }, isLarge: true)
        }

        private func list(_ filter: SocketFilter?, while isWanted: () -> Bool) throws -> Response {
            let owners = configuration.showsOwners ? try OwnerSnapshot() : nil
            var encoder = JSONLinesEncoder()
            var count = 0
            try forEach(configuration.watching.states, filter, owners, while: { isWanted() && count <= Limits.sockets })
            {
                count += 1
                guard count <= Limits.sockets else { return }
                encoder.append($0, owners: owners?[$0.inode] ?? [], namespace: $1, time: nil)
            }
            let body = encoder.withUnsafeBytes { ByteBuffer(bytes: $0) }
            var response = Response(type: Response.records, body: body)
            // A list that ends without a word would be taken for all.
            if count > Limits.sockets { response.headers.append(("Tcpstates-Limited", "\(Limits.sockets)")) }
            return response
        }

        private func forEach(
            _ states: TCPStateSet,
            _ filter: SocketFilter?,
            _ owners: OwnerSnapshot?,
            while isWanted: () -> Bool,
            _ body: (borrowing SocketRecord, NetworkNamespace?) -> Void
        ) throws {
            let query = SocketQuery(family: configuration.watching.family, states: states)
            for namespace in try configuration.namespaces() {
                do {
                    var client = try SockDiagClient(in: namespace)
                    try client.forEach(
                        query,
                        matching: filter,
                        external: { $0.finds($1, of: owners, in: namespace) },
                        while: isWanted
                    ) { body($0, namespace) }
                } catch is Looks.Abandoned where isWanted() == false {
                    return
                } catch let error as KernelError where error.code == .notFound && namespace != nil {
                    continue
                }
            }
        }
    }

    extension ServeConfiguration {
        /// Where to look now; nil for the process' own namespace, where none was named.
        func namespaces() throws(KernelError) -> [NetworkNamespace?] {
            if watching.followsAllNamespaces { return try NetworkNamespace.all().map(Optional.some) }
            return watching.namespaces.isEmpty ? [nil] : watching.namespaces.map(Optional.some)
        }
    }
#endif
