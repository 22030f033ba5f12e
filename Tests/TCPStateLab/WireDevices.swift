internal import CLab
internal import Glibc
internal import SockDiag

extension Wire {
    /// The kernel's end, named `lab0`.
    static let device = NetworkInterface(rawValue: 100)

    private static let loopback = Link(name: "lo", index: 1, hardwareAddress: [])
    private static let kernelLink = Link(name: "lab0", index: 100, hardwareAddress: [2, 0, 0, 0, 0, 1])
    private static let peerLink = Link(name: "lab1", index: 101, hardwareAddress: [2, 0, 0, 0, 0, 2])
    /// The peer is none of the kernel's own devices: so its IP ignores what comes out at the far end.
    private static let peerHardwareAddress: [UInt8] = [2, 0, 0, 0, 0, 3]

    /// Makes the pair, gives the kernel's end its addresses, and waits until all of it works.
    static func layDevices() throws(LabError) {
        let routes = try RouteSocket()
        let events = try RouteSocket(groups: [RTNLGRP_LINK, RTNLGRP_IPV6_ROUTE])
        try routes.perform([
            .addVeth(kernelLink, peerLink), .setUp(loopback), .setUp(kernelLink), .setUp(peerLink),
        ])
        // The carrier, and with it the queue for sending, comes from a worker of the kernel.
        try events.await("lab0 going up") { notice in
            notice.type == UInt16(RTM_NEWLINK) && notice[4, as: Int32.self] == kernelLink.index
                && notice.attribute(IFLA_OPERSTATE, after: MemoryLayout<ifinfomsg>.size)?.first == 6  // IF_OPER_UP
        }
        let addresses: [(kernel: IPAddress, peer: IPAddress, prefix: UInt8)] = [
            (LabNetwork.kernelIPv4, LabNetwork.peerIPv4, 24),
            (LabNetwork.kernelIPv6, LabNetwork.peerIPv6, 64),
            (LabNetwork.kernelLinkLocal, LabNetwork.peerLinkLocal, 64),
        ]
        try routes.perform(
            addresses.flatMap { address -> [RouteMessage] in
                [
                    .addAddress(address.kernel.octets, prefix: address.prefix, on: kernelLink),
                    .addQuickRoute(to: address.peer.octets, over: kernelLink),
                    .addNeighbour(address.peer.octets, at: peerHardwareAddress, on: kernelLink),
                ]
            }
        )
        // An IPv6 address receives from when its local route is there; that, too, comes from a worker.
        var awaited: Set = [LabNetwork.kernelIPv6.octets, LabNetwork.kernelLinkLocal.octets]
        try events.await("the local routes of the IPv6 addresses") { notice in
            if notice.type == UInt16(RTM_NEWROUTE), notice[7, as: UInt8.self] == UInt8(RTN_LOCAL),
                let destination = notice.attribute(Int(RTA_DST.rawValue), after: MemoryLayout<rtmsg>.size)
            {
                awaited.remove(Array(destination))
            }
            return awaited.isEmpty
        }
    }

    /// A socket at the peer's end that carries IP packets and does not receive its own.
    static func openPacketSocket() throws(LabError) -> Descriptor {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let packets = try Descriptor("socket(AF_PACKET)") { socket(AF_PACKET, type, 0) }
        try packets.setOption(SOL_PACKET, PACKET_IGNORE_OUTGOING, Int32(1), "PACKET_IGNORE_OUTGOING")
        try packets.call("bind the packet socket") { descriptor in
            withUnsafePointer(to: address(etherType: ETH_P_ALL)) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
                }
            }
        }
        return packets
    }

    /// The address of the wire for packets of a kind (`ETH_P_*`), on their way to the kernel's end.
    static func address(etherType: Int32) -> sockaddr_ll {
        var address = sockaddr_ll()
        address.sll_family = UInt16(AF_PACKET)
        address.sll_protocol = UInt16(etherType).bigEndian
        address.sll_ifindex = peerLink.index
        address.sll_halen = UInt8(kernelLink.hardwareAddress.count)
        withUnsafeMutableBytes(of: &address.sll_addr) { $0.copyBytes(from: kernelLink.hardwareAddress) }
        return address
    }
}

/// Runs the closure without letting the calling thread move to another processor.
func onOneProcessor(_ body: () throws(LabError) -> Void) throws(LabError) {
    var allowed = [UInt](repeating: 0, count: 128)
    let size = UInt(allowed.count * MemoryLayout<UInt>.size)
    try systemCall("sched_getaffinity") { clab_get_affinity(&allowed, size) }
    var processor: UInt32 = 0
    try systemCall("getcpu") { clab_current_cpu(&processor) }
    var one = [UInt](repeating: 0, count: 128)
    let (word, bit) = Int(processor).quotientAndRemainder(dividingBy: UInt.bitWidth)
    one[word] = 1 << UInt(bit)
    try systemCall("sched_setaffinity") { clab_set_affinity(one, size) }
    defer { _ = clab_set_affinity(allowed, size) }
    try body()
}
