internal import SockDiag

/// The numbers of the protocols inside IP (`IPPROTO_*`).
enum InternetProtocol {
    static let icmp: UInt8 = 1
    static let tcp: UInt8 = 6
}

/// What the wire carries, as far as the laboratory cares: segments, and the answers to its pings.
enum Packet {
    case segment(Segment)
    case pong(UInt16)

    /// Reads an IP packet; nil for all else that kernels say to each other.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard let (transportProtocol, content) = Self.unwrap(bytes) else { return nil }
        switch transportProtocol {
        case InternetProtocol.tcp:
            guard let segment = Segment(content) else { return nil }
            self = .segment(segment)
        case InternetProtocol.icmp where content.first == 0:  // ICMP_ECHOREPLY
            guard let sequence = content.bigEndian(at: 6, as: UInt16.self) else { return nil }
            self = .pong(sequence)
        default:
            return nil
        }
    }

    /// The protocol and the content, cut to the length that the header says.
    private static func unwrap(_ bytes: ArraySlice<UInt8>) -> (UInt8, ArraySlice<UInt8>)? {
        guard let version = bytes.first.map({ $0 >> 4 }), bytes.count >= (version == 6 ? 40 : 20) else { return nil }
        let base = bytes.startIndex
        switch version {
        case 4:
            let header = Int(bytes[base] & 0xf) * 4
            guard let total = bytes.bigEndian(at: 2, as: UInt16.self), header >= 20, header <= total else { return nil }
            return (bytes[base + 9], bytes.prefix(Int(total)).dropFirst(header))
        case 6:
            guard let length = bytes.bigEndian(at: 4, as: UInt16.self) else { return nil }
            return (bytes[base + 6], bytes.dropFirst(40).prefix(Int(length)))
        default:
            return nil
        }
    }

    /// The IP packet of a segment.
    static func bytes(of segment: Segment, from source: IPAddress, to destination: IPAddress) -> [UInt8] {
        let (source, destination) = (source.octets, destination.octets)
        let content = segment.bytes(from: source, to: destination)
        return wrap(content, InternetProtocol.tcp, from: source, to: destination)
    }

    /// An ICMP echo request.
    static func ping(_ sequence: UInt16, from source: IPAddress, to destination: IPAddress) -> [UInt8] {
        var content: [UInt8] = [8, 0, 0, 0, 0, 0]  // ICMP_ECHO, code, checksum, identifier
        content.append(bigEndian: sequence)
        content.setChecksum(at: 2, over: content)
        return wrap(content, InternetProtocol.icmp, from: source.octets, to: destination.octets)
    }

    /// "Destination port unreachable", about a segment that went the other way.
    static func unreachable(_ segment: Segment, from source: IPAddress, to destination: IPAddress) -> [UInt8] {
        var content: [UInt8] = [3, 3, 0, 0, 0, 0, 0, 0]  // ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, checksum, unused
        content += bytes(of: segment, from: destination, to: source).prefix(28)  // its IP header, and 8 bytes
        content.setChecksum(at: 2, over: content)
        return wrap(content, InternetProtocol.icmp, from: source.octets, to: destination.octets)
    }

    private static func wrap(
        _ content: [UInt8],
        _ transportProtocol: UInt8,
        from source: [UInt8],
        to destination: [UInt8]
    ) -> [UInt8] {
        let hops: UInt8 = 64
        var header: [UInt8]
        if source.count == 4 {
            header = [0x45, 0]
            header.append(bigEndian: UInt16(20 + content.count))
            header += [0, 0, 0x40, 0, hops, transportProtocol, 0, 0]  // no identification, "don't fragment", checksum
            header += source + destination
            header.setChecksum(at: 10, over: header)
        } else {
            header = [0x60, 0, 0, 0]
            header.append(bigEndian: UInt16(content.count))
            header += [transportProtocol, hops]
            header += source + destination
        }
        return header + content
    }
}
