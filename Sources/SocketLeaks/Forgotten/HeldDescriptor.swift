/// A socket of another protocol than TCP that processes hold.
///
/// It need not be forgotten: the protocol has no state that would show it. A program whose number of them grows leaks.
public struct HeldDescriptor: Hashable, Sendable, Identifiable {
    /// The inode.
    public var id: UInt32
    /// The protocol.
    public var protocolName: SocketProtocolName
    /// Who holds it, by process and descriptor.
    public var holders: [SocketHolder]
    /// How long it has been held, at least.
    public var age: SocketAge

    /// A socket that is held.
    public init(id: UInt32, protocolName: SocketProtocolName, holders: [SocketHolder], age: SocketAge) {
        (self.id, self.protocolName, self.holders, self.age) = (id, protocolName, holders, age)
    }
}

extension HeldDescriptor: CustomStringConvertible {
    /// `UNIX-STREAM, held by server(4711):7 for at least 2.3 s`
    public var description: String {
        "\(protocolName), held by \(holders.map(\.owner.description).joined(separator: " ")) \(age)"
    }
}
