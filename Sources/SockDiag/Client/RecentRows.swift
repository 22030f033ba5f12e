/// The rows that a dump yielded last, to drop one that it yields again.
///
/// The kernel walks a hash chain in several steps and finds its place again by counting. Sockets that come and go
/// meanwhile shift the count, and the rows just yielded come once more: repeats are never far apart.
struct RecentRows: ~Copyable {
    /// One slot for each of so many successive cookies: 32 KiB.
    private var slots = [UInt64](repeating: 0, count: 4096)

    /// Remembers the row. Returns whether it is new. A closed socket with a descriptor and its minisocket share a cookie and are
    /// two rows; so are the minisockets of a socket's connections, one after the other, which differ in their endpoints.
    mutating func insert(_ record: borrowing SocketRecord) -> Bool {
        let cookie = record.cookie.rawValue
        guard cookie != 0 else { return true }
        return insert(record.isMinisocket ? ~cookie ^ record.endpointsHash << 32 : cookie)
    }

    /// Remembers the row of a key, which is not 0. Returns whether it is new.
    mutating func insert(_ key: UInt64) -> Bool {
        let slot = Int(truncatingIfNeeded: key) & (slots.count - 1)
        guard slots[slot] != key else { return false }
        slots[slot] = key
        return true
    }
}

extension SocketRecord {
    /// A hash of both endpoints, 32 bits.
    fileprivate var endpointsHash: UInt64 {
        var hash: UInt32 = header(InetDiagMessage.sourcePort)  // both ports
        for offset in stride(from: InetDiagMessage.source, to: InetDiagMessage.interface, by: 4) {
            hash = (hash &* 0x9e37_79b1) ^ header(offset)
        }
        return UInt64(hash)
    }
}
