internal import CLab
internal import Glibc

/// A request to rtnetlink: the fixed header of its type, then attributes.
struct RouteMessage {
    private(set) var bytes: [UInt8] = []

    /// A request that the kernel acknowledges; `header` is the structure that the type wants (`ifinfomsg`, …).
    init(_ type: Int, creates: Bool = false, header: some BitwiseCopyable) {
        let flags = NLM_F_REQUEST | NLM_F_ACK | (creates ? NLM_F_CREATE | NLM_F_EXCL : 0)
        append(nlmsghdr(nlmsg_len: 0, nlmsg_type: UInt16(type), nlmsg_flags: UInt16(flags), nlmsg_seq: 0, nlmsg_pid: 0))
        append(header)
        patchLength(at: 0, as: UInt32.self)
    }

    /// Adds an attribute of the given bytes.
    mutating func attribute(_ type: Int, _ payload: [UInt8]) {
        nest(type) { $0.bytes += payload }
    }

    /// Adds an attribute that holds what the closure appends.
    mutating func nest(_ type: Int, _ body: (inout RouteMessage) -> Void) {
        let start = bytes.count
        append(UInt16(0))
        append(UInt16(type))
        body(&self)
        patchLength(at: start, as: UInt16.self)
        bytes += [UInt8](repeating: 0, count: -bytes.count & 3)  // NLA_ALIGN
        patchLength(at: 0, as: UInt32.self)
    }

    /// Adds the structure as it is in memory.
    mutating func append(_ value: some BitwiseCopyable) {
        withUnsafeBytes(of: value) { bytes += $0 }
    }

    private mutating func patchLength<Length: FixedWidthInteger>(at offset: Int, as type: Length.Type) {
        let length = Length(bytes.count - offset)
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: offset, as: Length.self) }
    }
}

extension RouteMessage {
    /// A veth pair: both names, indices and hardware addresses are given.
    static func addVeth(_ end: Link, _ other: Link) -> RouteMessage {
        var message = RouteMessage(RTM_NEWLINK, creates: true, header: end.header())
        message.describe(end)
        message.nest(IFLA_LINKINFO) { info in
            info.attribute(IFLA_INFO_KIND, Array("veth\0".utf8))
            info.nest(IFLA_INFO_DATA) { data in
                data.nest(VETH_INFO_PEER) { peer in
                    peer.append(other.header())
                    peer.describe(other)
                }
            }
        }
        return message
    }

    private mutating func describe(_ link: Link) {
        attribute(IFLA_IFNAME, Array(link.name.utf8) + [0])
        attribute(IFLA_ADDRESS, link.hardwareAddress)
    }

    static func setUp(_ link: Link) -> RouteMessage {
        RouteMessage(RTM_NEWLINK, header: link.header(flags: UInt32(IFF_UP)))
    }

    /// An address of the link, usable at once: without duplicate address detection.
    static func addAddress(_ octets: [UInt8], prefix: UInt8, on link: Link) -> RouteMessage {
        let header = ifaddrmsg(
            ifa_family: octets.routeFamily,
            ifa_prefixlen: prefix,
            ifa_flags: octets.count == 16 ? UInt8(IFA_F_NODAD) : 0,
            ifa_scope: 0,
            ifa_index: UInt32(link.index)
        )
        var message = RouteMessage(RTM_NEWADDR, creates: true, header: header)
        message.attribute(IFA_LOCAL, octets)
        message.attribute(IFA_ADDRESS, octets)
        return message
    }

    /// A route to one host, to which acknowledgements are never delayed.
    static func addQuickRoute(to octets: [UInt8], over link: Link) -> RouteMessage {
        var header = rtmsg()
        header.rtm_family = octets.routeFamily
        header.rtm_dst_len = UInt8(octets.count * 8)
        header.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
        header.rtm_protocol = UInt8(RTPROT_STATIC)
        header.rtm_scope = UInt8(RT_SCOPE_LINK.rawValue)
        header.rtm_type = UInt8(RTN_UNICAST)
        var message = RouteMessage(RTM_NEWROUTE, creates: true, header: header)
        message.attribute(Int(RTA_DST.rawValue), octets)
        message.nest(Int(RTA_OIF.rawValue)) { $0.append(link.index) }
        message.nest(Int(RTA_METRICS.rawValue)) { metrics in
            metrics.nest(RTAX_QUICKACK) { $0.append(UInt32(1)) }
        }
        return message
    }

    /// A neighbour that is never asked for.
    static func addNeighbour(_ octets: [UInt8], at hardwareAddress: [UInt8], on link: Link) -> RouteMessage {
        var header = ndmsg()
        header.ndm_family = octets.routeFamily
        header.ndm_ifindex = link.index
        header.ndm_state = UInt16(NUD_PERMANENT)
        var message = RouteMessage(RTM_NEWNEIGH, creates: true, header: header)
        message.attribute(NDA_DST, octets)
        message.attribute(NDA_LLADDR, hardwareAddress)
        return message
    }
}

/// A network device.
struct Link {
    let name: String
    let index: Int32
    let hardwareAddress: [UInt8]

    func header(flags: UInt32 = 0) -> ifinfomsg {
        var header = ifinfomsg()
        header.ifi_index = index
        header.ifi_flags = flags
        header.ifi_change = flags
        return header
    }
}

extension [UInt8] {
    fileprivate var routeFamily: UInt8 { UInt8(count == 16 ? AF_INET6 : AF_INET) }
}
