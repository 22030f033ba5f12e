internal import ConnectionTracking
internal import SocketValues

/// The addresses and ports of a play: those of another play are others.
struct Addresses {
    private let number: UInt64
    private let kind: Int

    init(_ play: Play) {
        number = UInt64(play.number)
        kind = Int(play.seed % 5)
    }

    private var family: AddressFamily { kind < 3 ? .ipv4 : .ipv6 }
    /// The upper half of both addresses.
    private var high: UInt64 { kind == 3 ? 0xfd00_0000_0000_0001 : 0 }
    /// What lies before the 32 bits of an IPv4 address: nothing, or that it is mapped.
    private var prefix: UInt64 { kind == 4 ? 0xffff << 32 : 0 }
    private var local: UInt64 { prefix | 0x0a00_0001 }
    private var remote: UInt64 { prefix | 0x0a80_0000 | number }

    let serverPort: UInt16 = 443
    var listenerPort: UInt16 { UInt16(truncatingIfNeeded: 1000 + 2 * number) }
    func boundPort(_ slot: Int) -> UInt16 { UInt16(60_000 + slot) }
    func freePort(_ slot: Int, _ again: Int) -> UInt16 { UInt16(40_000 + slot * 1000 + again % 1000) }

    /// The endpoints of a socket that has none.
    var unused: SocketName {
        SocketName(.any, Endpoints(local: (0, 0), 0, remote: (0, 0), 0, interface: 0), family: family)
    }

    /// The endpoints of a child of the listener.
    func child(_ slot: Int, port: UInt16) -> SocketName {
        let endpoints = Endpoints(
            local: (high, local),
            port,
            remote: (high, remote),
            UInt16(50_000 + slot),
            interface: 0
        )
        return SocketName(.any, endpoints, family: family)
    }

    func setLocal(_ name: inout SocketName) { (name.endpoints.localHigh, name.endpoints.localLow) = (high, local) }

    func setRemote(_ name: inout SocketName) { (name.endpoints.remoteHigh, name.endpoints.remoteLow) = (high, remote) }
}
