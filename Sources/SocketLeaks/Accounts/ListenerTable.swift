internal import SockDiag

/// The listeners of the machine, and which of them a connection was accepted from.
///
/// A connection has the local port of its listener, and its address, unless that is the wildcard. `0.0.0.0` accepts IPv4
/// alone, `::` both. Of several the kernel takes the one with the address.
package struct ListenerTable: Sendable {
    private struct Listener {
        let cookie: SocketCookie
        let address: IPAddress
        let namespace: NetworkNamespace?
    }

    /// Where a scope's processes have listened; it is remembered when the listener has ended.
    private struct Service: Hashable {
        let endpoint: SocketEndpoint
        let namespace: NetworkNamespace?
    }

    private var listeners: [UInt16: [Listener]] = [:]
    private var services: Set<Service> = []

    /// No listeners.
    package init() {}

    /// Adds a listener, unless it is known.
    package mutating func insert(_ identity: SocketIdentity, in namespace: NetworkNamespace?) {
        let port = identity.local.port
        guard listeners[port]?.contains(where: { $0.cookie == identity.cookie }) != true else { return }
        let address = identity.local.address.unmapped
        listeners[port, default: []].append(Listener(cookie: identity.cookie, address: address, namespace: namespace))
    }

    /// Removes a listener that has ended.
    package mutating func remove(_ identity: SocketIdentity) {
        listeners[identity.local.port]?.removeAll { $0.cookie == identity.cookie }
        if listeners[identity.local.port]?.isEmpty == true { listeners[identity.local.port] = nil }
    }

    /// The listener that a connection was accepted from, as far as one is known.
    package func listener(of connection: SocketIdentity, in namespace: NetworkNamespace?) -> SocketCookie? {
        guard !connection.remote.address.isAny, let all = listeners[connection.local.port] else { return nil }
        let fitting = all.filter {
            $0.namespace == namespace && Self.accepts($0.address, connection.local.address.unmapped)
        }
        return (fitting.first { !$0.address.isAny } ?? fitting.first)?.cookie
    }

    /// Notes that a scope's processes listen, or have listened, at an endpoint.
    package mutating func insertService(_ endpoint: SocketEndpoint, in namespace: NetworkNamespace?) {
        services.insert(Self.service(endpoint.address.unmapped, endpoint.port, namespace))
    }

    /// Whether a connection has the local endpoint of a service, also of one that was found after its end.
    package func isAccepted(_ connection: SocketIdentity, in namespace: NetworkNamespace?) -> Bool {
        guard !services.isEmpty, !connection.remote.address.isAny else { return false }
        let local = connection.local.address.unmapped
        return [local, .anyIPv4, .anyIPv6].contains { address in
            Self.accepts(address, local)
                && services.contains(Self.service(address, connection.local.port, namespace))
        }
    }

    private static func service(_ address: IPAddress, _ port: UInt16, _ namespace: NetworkNamespace?) -> Service {
        Service(endpoint: SocketEndpoint(address, port: port), namespace: namespace)
    }

    private static func accepts(_ listener: IPAddress, _ local: IPAddress) -> Bool {
        listener.isAny ? listener.family == .ipv6 || local.family == .ipv4 : listener == local
    }
}
