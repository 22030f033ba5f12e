internal import ConnectionTracking
internal import SockDiag

/// The free room behind a journal's bytes, while an entry or a part of one is written there.
///
/// It is had from ``JournalBytes/write(_:)`` once for many numbers: to see each time that nobody else has the bytes takes
/// longer than to write a number. No number leaves the room, whatever its length.
struct JournalSink: ~Copyable, ~Escapable {
    private var room: MutableRawSpan
    /// How many bytes there are.
    private(set) var count: Int

    @_lifetime(copy room)
    init(_ room: consuming MutableRawSpan, count: Int) {
        self.room = room
        self.count = count
    }

    @inline(__always)
    @_lifetime(self: copy self)
    mutating func append(_ byte: UInt8) {
        room.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    @inline(__always)
    @_lifetime(self: copy self)
    mutating func append(_ number: UInt64) {
        // At least one byte; seven bits of the number in each.
        let length = (70 - (number | 1).leadingZeroBitCount) / 7
        if length <= 8 {
            store(number << UInt64(length) | 1 << UInt64(length - 1))
            count += length
        } else {
            append(UInt8(0))
            store(number)
            count += 8
        }
    }

    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func store(_ number: UInt64) {
        room.storeBytes(of: number.littleEndian, toByteOffset: count, as: UInt64.self)
    }
}

/// What a dump has of each socket.
extension JournalSink {
    /// All of a row, after one with this name and this inode.
    @_lifetime(self: copy self)
    mutating func append(_ row: SocketRow, after name: SocketName, _ inode: UInt32) {
        var flags: JournalFactFlags = row.isMinisocket ? .isMinisocket : []
        if row.uid != nil { flags.insert(.hasUID) }
        if row.timer != nil { flags.insert(.hasTimer) }
        append(flags, row.matching)
        append(row.state.rawValue)
        append(row.name, after: name)
        append((Int64(row.inode) - Int64(inode)).zigzag)
        if let uid = row.uid { append(UInt64(uid)) }
        if let timer = row.timer { append(UInt64(timer)) }
    }

    @_lifetime(self: copy self)
    mutating func append(_ flags: JournalFactFlags, _ matching: StateMask) {
        let isAll = matching.rawValue == .max
        append(isAll ? flags.rawValue : flags.union(.hasMatching).rawValue)
        if !isAll { append(UInt64(matching.rawValue)) }
    }

    /// A name, after another.
    @_lifetime(self: copy self)
    mutating func append(_ name: SocketName, after last: SocketName) {
        let endpoints = name.endpoints
        let flags = name.flags(after: last)
        let isIPv4 = flags.contains(.isIPv4)
        append(flags.rawValue)
        if flags.isDisjoint(with: [.isIPv4, .isIPv6]) { append(name.family.rawValue) }
        if !flags.contains(.hasSameCookie) {
            append(Int64(bitPattern: name.cookie.rawValue &- last.cookie.rawValue).zigzag)
        }
        append(UInt64(endpoints.localPort) << 16 | UInt64(endpoints.remotePort))
        if !flags.contains(.hasSameLocal) {
            if !isIPv4 { append(endpoints.localHigh) }
            append(endpoints.localLow)
        }
        if !flags.contains(.hasSameRemote) {
            if !isIPv4 { append(endpoints.remoteHigh) }
            append(endpoints.remoteLow)
        }
        if endpoints.interface != 0 { append(UInt64(endpoints.interface)) }
    }
}

extension SocketName {
    fileprivate func flags(after last: SocketName) -> JournalNameFlags {
        let before = last.endpoints
        let hasNoHighWords = endpoints.localHigh == 0 && endpoints.remoteHigh == 0
        var flags: JournalNameFlags = family == .ipv4 && hasNoHighWords ? .isIPv4 : []
        if family == .ipv6 { flags.insert(.isIPv6) }
        if (endpoints.localHigh, endpoints.localLow) == (before.localHigh, before.localLow) {
            flags.insert(.hasSameLocal)
        }
        if (endpoints.remoteHigh, endpoints.remoteLow) == (before.remoteHigh, before.remoteLow) {
            flags.insert(.hasSameRemote)
        }
        if endpoints.interface != 0 { flags.insert(.hasInterface) }
        if cookie.rawValue == last.cookie.rawValue { flags.insert(.hasSameCookie) }
        return flags
    }
}
