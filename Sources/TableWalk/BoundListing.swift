internal import BPF
internal import SocketValues

/// The listing of a program that looks for sockets without a connection among all that hold a port (`bhash2`): bound and no
/// more, or closed and still held. Only a dump shows them, and it walks all connections for that; mostly there are none.
///
/// r7 is the bucket, r8 an address and port in it (`inet_bind2_bucket.node`), r9 one of the sockets that hold that
/// (`sock.skc_bind_node`); 0 where there is none. A list may have a hundred thousand sockets, so that a call ends within it:
/// the next one goes on at the same socket if that still is in the same list.
struct BoundListing {
    let layout: KernelLayout

    private enum Slot {
        static let loop = -8
        static let namespace = -16
        static let end = -24
        static let steps = -32
        static let buckets = -40
        static let step = -48
    }

    /// Before 6.8 a dump does not show them, and they are linked by other members.
    static func isKnown(to layout: KernelLayout) -> Bool {
        layout.has("inet_bind2_bucket", "owners") && !layout.has("tcp_sock", "inet_conn.icsk_inet.sk.sk_bind2_node")
    }

    /// The instructions.
    ///
    /// - Throws: ``/SocketValues/KernelError`` where the kernel's types lack what is needed.
    func instructions() throws(KernelError) -> [Instruction] {
        var listing: [Instruction] = [.move(.r6, .r1), .load(.r7, .u64, from: .r6, WalkRequest.Argument.start.offset)]
        for (argument, slot) in [
            (WalkRequest.Argument.namespace, Slot.namespace), (.end, Slot.end), (.steps, Slot.steps),
        ] {
            listing += [.load(.r1, .u64, from: .r6, argument.offset), .store(.u64, to: .r10, slot, .r1)]
        }
        return try listing + table() + resume() + loop() + results
    }

    private func table() throws(KernelError) -> [Instruction] {
        try [
            .load(.r1, .u64, from: .r10, Slot.namespace),
            .set(.r2, Int32(layout.namespace)),
            .callFunction(layout.cast),
            .load(.r1, .u64, from: .r0, layout.offset("net", "ipv4.tcp_death_row.hashinfo")),
            .load(.r3, .u32, from: .r1, layout.offset("inet_hashinfo", "bhash_size")),
            .load(.r4, .u64, from: .r1, layout.offset("inet_hashinfo", "bhash2")),
            .loadMapValue(.r2, WalkResult.map, WalkResult.buckets),
            .store(.u64, to: .r2, 8, .r4),  // a pointer becomes a number in the map
            .load(.r4, .u64, from: .r2, 8),
            .store(.u64, to: .r10, Slot.buckets, .r4),
            .storeNumber(.u64, to: .r2, 8, 0),
            .store(.u64, to: .r2, 0, .r3),
            .load(.r4, .u64, from: .r10, Slot.end),  // end = min(end, buckets)
            .jumpIfBoth(.r3, .greaterOrEqual, .r4, "within"),
            .store(.u64, to: .r10, Slot.end, .r3),
            .label("within"),
        ]
    }

    /// Goes on within a list, where the last call ended in one: at the same socket, if it still holds the same address and
    /// port and is linked.
    private func resume() throws(KernelError) -> [Instruction] {
        let bind = try layout.offset("sock_common", "skc_bind_node")
        let bucket = try layout.offset("tcp_sock", "inet_conn.icsk_bind2_hash")
        let node = try layout.offset("inet_bind2_bucket", "node")
        var listing: [Instruction] = [
            .loadMapValue(.r2, WalkResult.map, BoundResult.list),
            .load(.r8, .u64, from: .r2, 0),
            .load(.r9, .u64, from: .r2, 8),
            .storeNumber(.u64, to: .r2, 0, 0),
            .storeNumber(.u64, to: .r2, 8, 0),
            .jumpIf(.r8, .equal, 0, "begin"),
            .jumpIf(.r9, .equal, 0, "lost"),
        ]
        listing += layout.cast(.r9, plus: bucket - bind, to: layout.pair)
        listing += [
            .load(.r3, .u64, from: .r0, 0),  // if (icsk->icsk_bind2_hash != tb2) goto lost
            .compute(.r3, .add, Int32(node)),
            .jumpIfBoth(.r3, .notEqual, .r8, "lost"),
        ]
        listing += layout.cast(.r9, plus: 0, to: layout.pair)
        listing += [.load(.r1, .u64, from: .r0, 8), .set(.r2, Int32(layout.pair)), .callFunction(layout.cast)]
        return listing + [
            .load(.r3, .u64, from: .r0, 0),  // if (*node->pprev != node) goto lost
            .jumpIfBoth(.r3, .equal, .r9, "begin"),
            .label("lost"),
            .set(.r8, 0),
            .set(.r9, 0),
            .label("begin"),
            .jumpIf(.r8, .notEqual, 0, "loop"),
            .compute(.r7, .add, -1),
            .set(.r9, 0),
            .label("loop"),
        ]
    }

    private func loop() throws(KernelError) -> [Instruction] {
        let bind = try layout.offset("sock_common", "skc_bind_node")
        let node = try layout.offset("inet_bind2_bucket", "node")
        let chain = try layout.offset("inet_bind_hashbucket", "chain")
        let size = try layout.size("inet_bind_hashbucket")
        var listing: [Instruction] = [.set(.r6, 0)] + layout.begin(loop: Slot.loop)
        listing += [
            .load(.r1, .u32, from: .r0, 0),
            .store(.u64, to: .r10, Slot.step, .r1),
            .jumpIf(.r9, .equal, 0, "no socket"),
        ]
        // A socket: it must hold this port in this namespace, else it has gone to another list.
        listing += layout.cast(.r8, plus: -node, to: try layout.structure("inet_bind2_bucket"))
        listing += [.load(.r6, .u16, from: .r0, try layout.offset("inet_bind2_bucket", "port"))]
        listing += layout.cast(.r9, plus: try layout.offset("sock_common", "skc_net.net") - bind, to: layout.pair)
        listing += [
            .load(.r3, .u64, from: .r0, 0),
            .load(.r4, .u64, from: .r10, Slot.namespace),
            .jumpIfBoth(.r3, .notEqual, .r4, "moved"),
        ]
        listing += layout.cast(.r9, plus: -bind, to: layout.common)
        listing += [
            .load(.r3, .u8, from: .r0, try layout.offset("sock_common", "skc_state")),
            .jumpIf(.r3, .equal, Int32(TCPState.closed.rawValue), "found"),
            .load(.r3, .u16, from: .r0, try layout.offset("sock_common", "skc_num")),
            .jumpIfBoth(.r3, .notEqual, .r6, "moved"),
        ]
        listing += layout.cast(.r9, plus: 0, to: layout.pair)
        listing += [
            .load(.r9, .u64, from: .r0, 0),  // node = node->next
            .set(.r6, 0),
            .jump("step"),
            .label("no socket"),
            .set(.r6, 0),
            .jumpIf(.r8, .equal, 0, "no list"),
        ]
        listing += layout.cast(.r8, plus: 0, to: layout.pair)
        listing += [
            .load(.r8, .u64, from: .r0, 0),  // tb2 = tb2->node.next
            .jump("list"),
            .label("no list"),
            .compute(.r7, .add, 1),
            .load(.r2, .u64, from: .r10, Slot.end),
            .jumpIfBoth(.r7, .greaterOrEqual, .r2, "done"),
            .load(.r1, .u64, from: .r10, Slot.step),
            .load(.r2, .u64, from: .r10, Slot.steps),
            .jumpIfBoth(.r1, .greaterOrEqual, .r2, "done"),
            .move(.r1, .r7),
            .compute(.r1, .multiply, Int32(size)),
            .compute(.r1, .add, Int32(chain)),
            .load(.r2, .u64, from: .r10, Slot.buckets),
            .combine(.r1, .add, .r2),
            .set(.r2, Int32(layout.pair)),
            .callFunction(layout.cast),
            .load(.r8, .u64, from: .r0, 0),
            .label("list"),
        ]
        // The sockets of a list of this namespace.
        listing += [.set(.r9, 0), .jumpIf(.r8, .equal, 0, "listed")]
        listing += layout.cast(.r8, plus: try layout.offset("inet_bind2_bucket", "ib_net.net") - node, to: layout.pair)
        listing += [
            .load(.r3, .u64, from: .r0, 0),
            .load(.r4, .u64, from: .r10, Slot.namespace),
            .jumpIfBoth(.r3, .notEqual, .r4, "listed"),
        ]
        listing += layout.cast(.r8, plus: try layout.offset("inet_bind2_bucket", "owners") - node, to: layout.pair)
        listing += [.load(.r9, .u64, from: .r0, 0), .label("listed")]
        // What registers held before is forgotten, so that all ways here look alike.
        return listing + layout.cast(.r8, plus: 0, to: layout.pair) + [.jump("step")]
    }

    private var results: [Instruction] {
        [
            .label("found"),
            .set(.r3, WalkResult.Outcome.found.rawValue),
            .jump("end"),
            .label("moved"),
            .set(.r3, WalkResult.Outcome.moved.rawValue),
            .jump("end"),
            .label("exhausted"),
            .loadMapValue(.r2, WalkResult.map, BoundResult.list),
            .store(.u64, to: .r2, 0, .r8),
            .store(.u64, to: .r2, 8, .r9),
            .set(.r3, WalkResult.Outcome.exhausted.rawValue),
            .jump("end"),
        ] + layout.end(ofLoop: Slot.loop)
    }
}

/// Where a call of the search has ended within a list: the list's node, and the socket's.
enum BoundResult {
    static let list = WalkResult.body
    static let size = 16
}
