import SockDiag
import TCPStateLab

/// Segments between the kernel and a scripted peer, each with the kernel's state when it has come or gone.
struct Capture: CustomStringConvertible {
    struct Line: Equatable {
        let isFromPeer: Bool
        let flags: String
        /// Absolute numbers; the second is nil where the segment has no ACK.
        var sequence, acknowledgment: UInt32?
        let state: String
    }

    private(set) var lines: [Line] = []

    mutating func add(_ segment: Segment, isFromPeer: Bool, _ state: TCPState?) {
        lines.append(
            Line(
                isFromPeer: isFromPeer,
                flags: segment.flags.description,
                sequence: segment.sequence,
                acknowledgment: segment.flags.contains(.ack) ? segment.acknowledgment : nil,
                state: state?.description ?? "–"
            )
        )
    }

    /// The numbers counted from each side's first.
    var relative: [Line] {
        func first(isFromPeer: Bool) -> UInt32 { lines.first { $0.isFromPeer == isFromPeer }?.sequence ?? 0 }
        return lines.map { line in
            var line = line
            line.sequence = line.sequence.map { $0 &- first(isFromPeer: line.isFromPeer) }
            line.acknowledgment = line.acknowledgment.map { $0 &- first(isFromPeer: !line.isFromPeer) }
            return line
        }
    }

    /// As in the guide: `─▶  SYN      seq=1000000                    SYN_RCVD`.
    var description: String {
        lines.map { line in
            let arrow = line.isFromPeer ? "─▶" : "◀─"
            let sequence = "seq=\(line.sequence ?? 0)"
            let acknowledgment = line.acknowledgment.map { "ack=\($0)" } ?? ""
            return arrow + "  " + line.flags.padded(9) + sequence.padded(16) + acknowledgment.padded(17) + line.state
        }.joined(separator: "\n")
    }

    init() {}

    /// Reads what ``description`` writes.
    init(_ text: Substring) {
        lines = text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 4, words[0] == "─▶" || words[0] == "◀─", let state = words.last else { return nil }
            func number(_ name: String) -> UInt32? {
                words.first { $0.hasPrefix(name) }.flatMap { UInt32($0.dropFirst(name.count)) }
            }
            return Line(
                isFromPeer: words[0] == "─▶",
                flags: String(words[1]),
                sequence: number("seq="),
                acknowledgment: number("ack="),
                state: String(state)
            )
        }
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
