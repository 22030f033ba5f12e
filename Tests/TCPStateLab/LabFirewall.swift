internal import CLab
internal import Glibc
internal import SockDiag

extension Lab {
    /// Has the namespace's firewall follow so many connections that do not exist. They are forgotten with the namespace.
    ///
    /// - Throws: ``LabError/Kind/systemCall(_:)`` where the kernel has no conntrack over netlink.
    package func followConnections(_ count: Int) throws(LabError) {
        let netfilter = try run { () throws(LabError) in try RouteSocket(family: NETLINK_NETFILTER) }
        var number = 0
        while number < count {
            let next = min(number + 100, count)
            try netfilter.perform((number..<next).map { .follow(clientPort: UInt16(1024 + $0)) })
            number = next
        }
    }
}

extension RouteMessage {
    /// `IPCTNL_MSG_CT_NEW` of `NFNL_SUBSYS_CTNETLINK`, with the attributes `CTA_*` of
    /// `<linux/netfilter/nfnetlink_conntrack.h>`.
    fileprivate static func follow(clientPort: UInt16) -> RouteMessage {
        let (client, server) = (LabNetwork.peerIPv4.octets, LabNetwork.kernelIPv4.octets)
        // struct nfgenmsg: family, version, resource
        var message = RouteMessage(1 << 8, creates: true, header: UInt32(AF_INET).littleEndian)
        message.addTuple(1, from: client, to: server, ports: (clientPort, 80))  // CTA_TUPLE_ORIG
        message.addTuple(2, from: server, to: client, ports: (80, clientPort))  // CTA_TUPLE_REPLY
        message.attribute(7, UInt32(600).bigEndianBytes)  // CTA_TIMEOUT, seconds
        message.nest(nested | 4) { info in  // CTA_PROTOINFO
            info.nest(nested | 1) { $0.attribute(1, [3]) }  // CTA_PROTOINFO_TCP, its state: ESTABLISHED
        }
        return message
    }

    private mutating func addTuple(
        _ type: Int,
        from source: [UInt8],
        to destination: [UInt8],
        ports: (UInt16, UInt16)
    ) {
        nest(Self.nested | type) { tuple in
            tuple.nest(Self.nested | 1) { address in  // CTA_TUPLE_IP
                address.attribute(1, source)
                address.attribute(2, destination)
            }
            tuple.nest(Self.nested | 2) { transport in  // CTA_TUPLE_PROTO
                transport.attribute(1, [InternetProtocol.tcp])
                transport.attribute(2, ports.0.bigEndianBytes)
                transport.attribute(3, ports.1.bigEndianBytes)
            }
        }
    }

    /// `NLA_F_NESTED`
    private static let nested = 1 << 15
}
