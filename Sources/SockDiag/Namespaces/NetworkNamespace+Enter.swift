internal import CMnl
internal import LinuxLibC
internal import LinuxSystem
internal import Synchronization

extension SockDiagClient {
    /// Opens a client of a network namespace, of the calling thread's own where it is nil. The calling thread stays in its own.
    ///
    /// - Throws: ``KernelError``, of code ``KernelError/Code/permissionDenied`` where CAP_SYS_ADMIN is missing, and
    ///   ``KernelError/Code/notFound`` where the namespace has ended. The calling thread's own needs no privilege.
    public init(in namespace: NetworkNamespace?) throws(KernelError) {
        guard let namespace else {
            try self.init()
            return
        }
        let opened = try namespace.run { () throws(KernelError) in
            OpenedThere(netlink: try NetlinkSocket(), ephemeralPorts: FilterNames.ephemeralPorts())
        }
        self.init(opened.netlink, ephemeralPorts: opened.ephemeralPorts)
    }

    /// What a client needs of its namespace.
    private struct OpenedThere: ~Copyable, Sendable {
        let netlink: NetlinkSocket
        let ephemeralPorts: ClosedRange<UInt16>
    }
}

extension NetworkNamespace {
    /// Runs the closure in the namespace: a socket that it opens belongs there for ever. Where the calling thread is in
    /// another one, a new thread enters the namespace, and ends with the call.
    package func run<Value: ~Copyable & Sendable>(
        _ body: @escaping @Sendable () throws(KernelError) -> Value
    ) throws(KernelError) -> Value {
        if id == .here { return try body() }
        if ID.ofThread == id { return try body() }
        let operation = "enter the network namespace \(label)"
        let file = try open(operation)
        let descriptor = file.descriptor
        let outcome = Mutex<Result<Value, KernelError>?>(nil)
        do throws(Errno) {
            let thread = try JoinedThread {
                outcome.withLock {
                    $0 = Result { () throws(KernelError) in
                        guard cmnl_enter_network_namespace(descriptor) == 0 else {
                            throw KernelError(entering: operation, errno: errno)
                        }
                        return try body()
                    }
                }
            }
            thread.join()
        } catch {
            throw KernelError(errno: error.rawValue, operation: operation, detail: "starting a thread", remedy: "")
        }
        guard let result = outcome.withLock({ $0.take() }) else {
            throw KernelError(.system, operation: operation, detail: "the thread ended early")
        }
        return try result.get()
    }

    /// The namespace as it can be found now: where it was, or else by another name or process; nil where it has ended.
    ///
    /// A socket in it keeps a namespace alive that has ended for everybody else.
    ///
    /// - Throws: ``KernelError`` where there is no `/proc`.
    package func whereNow() throws(KernelError) -> NetworkNamespace? {
        if let found = try? ID(at: path, in: AT_FDCWD), found == id { return self }
        return try NetworkNamespace.all().first { $0 == self }
    }

    /// Opens its file, or that of another process in it where the one that it was found by has ended.
    private func open(_ operation: String) throws(KernelError) -> NamespaceFile {
        do {
            let file = try NamespaceFile(path, operation: operation)
            if file.id == id { return file }
        } catch {
            guard error.code == .notFound else { throw error }
        }
        let others = try NetworkNamespace.all().filter { $0 == self }
        for other in others {
            if let file = try? NamespaceFile(other.path, operation: operation), file.id == id { return file }
        }
        throw KernelError(.notFound, operation: operation, detail: "it has ended")
    }
}

extension KernelError {
    /// The failure of `setns(2)`.
    fileprivate init(entering operation: String, errno: Int32) {
        let remedy = "it needs CAP_SYS_ADMIN, here and in the user namespace that owns it: run as root"
        self.init(errno: errno, operation: operation, remedy: errno == EPERM ? remedy : "")
    }
}
