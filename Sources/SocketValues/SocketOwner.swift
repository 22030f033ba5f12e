/// A process that holds a socket, and the descriptor that it holds it by, where that was found.
///
/// A socket has several owners where descriptors were inherited or passed on, and one process may hold it twice.
public struct SocketOwner: Hashable, Sendable {
    /// The process, by its number in the PID namespace of `/proc`.
    public let pid: Int32
    /// The descriptor; nil where the process is known by a call of its own alone, as tracepoints report it.
    public let descriptor: Int32?
    /// What the process is called.
    public let name: ProcessName

    /// An owner.
    public init(pid: Int32, name: ProcessName, descriptor: Int32?) {
        self.pid = pid
        self.name = name
        self.descriptor = descriptor
    }
}

extension SocketOwner: CustomStringConvertible {
    /// `nginx(4711):8`, the name escaped; without a descriptor `nginx(4711)`.
    public var description: String { "\(name)(\(pid))" + (descriptor.map { ":\($0)" } ?? "") }
}
