/// A TCP segment, as it is on the wire (RFC 9293, section 3.1).
package struct Segment: Hashable, Sendable {
    package var sourcePort: UInt16
    package var destinationPort: UInt16
    package var sequence: UInt32
    package var acknowledgment: UInt32
    package var flags: SegmentFlags
    package var window: UInt16
    /// The options as they are, padding included.
    package var options: [UInt8]
    package var payload: [UInt8]

    /// How much of the sequence space it takes: its bytes, SYN and FIN.
    package var length: UInt32 {
        UInt32(payload.count) + (flags.contains(.syn) ? 1 : 0) + (flags.contains(.fin) ? 1 : 0)
    }
}

/// The control bits of a segment.
package struct SegmentFlags: OptionSet, Hashable, Sendable {
    package var rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let fin = SegmentFlags(rawValue: 0x01)
    package static let syn = SegmentFlags(rawValue: 0x02)
    package static let rst = SegmentFlags(rawValue: 0x04)
    package static let psh = SegmentFlags(rawValue: 0x08)
    package static let ack = SegmentFlags(rawValue: 0x10)
    package static let synAck: SegmentFlags = [.syn, .ack]

    /// Those that open, close or end a connection.
    static let control: SegmentFlags = [.syn, .fin, .rst]
}

extension SegmentFlags: CustomStringConvertible {
    /// `SYN|ACK`
    package var description: String {
        let names: [(SegmentFlags, String)] = [
            (.fin, "FIN"), (.syn, "SYN"), (.rst, "RST"), (.psh, "PSH"), (.ack, "ACK"),
        ]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: "|")
    }
}

extension Segment: CustomStringConvertible {
    /// `SYN|ACK seq 7 ack 1001 len 0`
    package var description: String { "\(flags) seq \(sequence) ack \(acknowledgment) len \(payload.count)" }
}

extension Segment {
    /// The segment as bytes, its checksum covering the pseudo-header of the two addresses.
    func bytes(from source: [UInt8], to destination: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: sourcePort)
        bytes.append(bigEndian: destinationPort)
        bytes.append(bigEndian: sequence)
        bytes.append(bigEndian: acknowledgment)
        bytes.append(UInt8((20 + options.count) / 4) << 4)
        bytes.append(flags.rawValue)
        bytes.append(bigEndian: window)
        bytes.append(bigEndian: UInt16(0))  // the checksum's place
        bytes.append(bigEndian: UInt16(0))  // urgent pointer
        bytes += options + payload
        var pseudoHeader = source + destination
        pseudoHeader.append(bigEndian: UInt32(bytes.count))
        pseudoHeader.append(bigEndian: UInt32(InternetProtocol.tcp))
        bytes.setChecksum(at: 16, over: pseudoHeader + bytes)
        return bytes
    }

    /// Reads a segment; its checksum is not verified, because a veth pair carries segments without one.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard let sourcePort = bytes.bigEndian(at: 0, as: UInt16.self),
            let destinationPort = bytes.bigEndian(at: 2, as: UInt16.self),
            let sequence = bytes.bigEndian(at: 4, as: UInt32.self),
            let acknowledgment = bytes.bigEndian(at: 8, as: UInt32.self),
            let lengthAndFlags = bytes.bigEndian(at: 12, as: UInt16.self),
            let window = bytes.bigEndian(at: 14, as: UInt16.self)
        else { return nil }
        let header = Int(lengthAndFlags >> 12) * 4
        guard header >= 20, header <= bytes.count else { return nil }
        self.init(
            sourcePort: sourcePort,
            destinationPort: destinationPort,
            sequence: sequence,
            acknowledgment: acknowledgment,
            flags: SegmentFlags(rawValue: UInt8(truncatingIfNeeded: lengthAndFlags)),
            window: window,
            options: Array(bytes.dropFirst(20).prefix(header - 20)),
            payload: Array(bytes.dropFirst(header))
        )
    }
}
