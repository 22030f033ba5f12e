internal import BPF
internal import LinuxSystem
package import SockDiag
package import SocketValues

/// A program that walks the kernel's table of connections (`ehash`), and what it writes to: a tenth of a dump's price.
///
/// ```swift
/// var walker = try TableWalker(WalkPrograms(), for: .rows)
/// var walk = TableWalk(try walker.table(), SocketQuery(states: .established))
/// while try walker.advance(&walk, { print($0.local, $0.remote) }) {}
/// ```
///
/// It takes no lock. Each call ends after some thousand steps, whatever the table holds, and only between two chains.
/// Listeners and sockets without a connection are not in that table.
package struct TableWalker: ~Copyable {
    private let program: BPFDescriptor
    private let array: MappedArray
    private let purpose: Purpose

    private static let operation = "walk the kernel's table of sockets"

    /// Loads the program.
    ///
    /// - Throws: ``/SocketValues/KernelError`` where the privilege is missing, or the kernel refuses it.
    package init(_ programs: WalkPrograms, for purpose: Purpose) throws(KernelError) {
        let (listing, room) =
            switch purpose {
            case .counts: (programs.counts, Int(WalkResult.nameless) + 8)
            case .rows: (programs.rows, Int(WalkResult.body) + WalkResult.rowsSize)
            case .bound: (programs.bound ?? [], Int(BoundResult.list) + BoundResult.size)
            }
        let array = try MappedArray(bytes: room, purpose: "the memory of a table walk")
        let map = array.descriptor
        let bound = listing.map { instruction in
            guard case .loadMapValue(let register, WalkResult.map, let byte) = instruction else { return instruction }
            return .loadMapValue(register, map, byte)
        }
        program = try BPFDescriptor.program(Program(bound), type: 0, for: .call("table walk"))
        self.array = array
        self.purpose = purpose
    }

    /// What the program does with a socket.
    package enum Purpose: Sendable {
        /// It counts the sockets by state.
        case counts
        /// It writes a row for each, in the form of the kernel's own message: `struct inet_diag_msg`.
        case rows
        /// It looks for one that is bound, or closed and still held, and has no connection.
        case bound
    }

    /// The table of the calling thread's network namespace. It is used for as long only as something keeps the namespace
    /// alive, such as a client that was opened there.
    ///
    /// - Throws: ``/SocketValues/KernelError``.
    package mutating func table() throws(KernelError) -> KernelTable {
        try call(WalkRequest())
        return KernelTable(namespace: number(WalkResult.namespace), bucketCount: number(WalkResult.buckets))
    }

    /// Walks on, a call of the kernel's; calls `body` with each socket that was asked for. Whether there is more.
    ///
    /// - Throws: ``/SocketValues/KernelError`` where the table is not as it was expected: what was reported is true, and not
    ///   all.
    package mutating func advance(
        _ walk: inout TableWalk,
        _ body: (borrowing SocketRecord) -> Void
    ) throws(KernelError) -> Bool {
        guard !walk.isAtEnd else { return false }
        try advance(&walk)
        let size = Int(truncatingIfNeeded: number(WalkResult.rows))
        guard size >= 0, size <= WalkResult.rowsSize, size % InetDiagMessage.size == 0 else {
            throw Self.surprise("rows")
        }
        let rows = UnsafeRawBufferPointer(start: array.memory + Int(WalkResult.body), count: size)
        for offset in stride(from: 0, to: size, by: InetDiagMessage.size) {
            let row = UnsafeRawBufferPointer(rebasing: rows[offset..<(offset + InetDiagMessage.size)])
            body(try SocketRecord(message: row.bytes))
        }
        return !walk.isAtEnd
    }

    /// Walks to the end, and adds the number of sockets in each state.
    ///
    /// - Returns: how many of them nobody has asked the name of, so that it is not given yet: their cookie is 0.
    /// - Throws: ``/SocketValues/KernelError``, as ``advance(_:_:)`` does.
    @discardableResult
    package mutating func count(_ walk: inout TableWalk, into counts: inout [Int]) throws(KernelError) -> Int {
        var nameless = 0
        while !walk.isAtEnd {
            let start = walk.request.start
            for place in 0...WalkResult.stateCount { store(0, WalkResult.body + 8 * Int32(place)) }
            let outcome = try advance(&walk)
            guard outcome == .complete else {
                // What was counted of a chain that was left cannot be told from the others: all of it once more.
                guard outcome == .moved else { throw Self.surprise("a chain of thousands of sockets") }
                walk.request.start = start
                continue
            }
            for state in 0..<WalkResult.stateCount {
                // A request is half open, by the number of its own.
                let reported = state == WalkRequest.newRequest ? Int(TCPState.synReceived.rawValue) : state
                counts[reported] += Int(truncatingIfNeeded: number(WalkResult.body + 8 * Int32(state)))
            }
            nameless += Int(truncatingIfNeeded: number(WalkResult.nameless))
        }
        return nameless
    }

    /// Whether a socket without a connection holds a port in the namespace, in one of the parts that are the whole together;
    /// also where that cannot be told.
    ///
    /// - Throws: ``/SocketValues/KernelError``.
    package mutating func mayFindBound(
        _ table: KernelTable,
        part: Int = 0,
        of parts: Int = 1,
        betweenCalls: () -> Void = {}
    ) throws(KernelError) -> Bool {
        var request = WalkRequest()
        request.namespace = table.namespace
        store(0, BoundResult.list)
        store(0, BoundResult.list + 8)
        // Of nothing: it says how many buckets there are.
        try call(request)
        let count = number(WalkResult.buckets)
        request.start = count * UInt64(part) / UInt64(max(parts, 1))
        request.end = count * UInt64(part + 1) / UInt64(max(parts, 1))
        var vainCalls = 0
        while request.start < request.end {
            betweenCalls()
            try call(request)
            let outcome = WalkResult.Outcome(rawValue: Int32(truncatingIfNeeded: number(WalkResult.outcome)))
            guard outcome != .found, let outcome, number(WalkResult.next) >= request.start else { return true }
            // It goes on within the same list, or begins it anew.
            vainCalls =
                outcome == .complete
                ? 0 : vainCalls + (outcome == .moved ? Self.longestList / Self.greatestVainCalls : 1)
            guard vainCalls < Self.longestList else { return true }
            request.start = number(WalkResult.next)
        }
        return false
    }

    /// So many calls may one list take.
    private static let longestList = 4096

    /// Makes a call, and moves the walk to where it has come.
    @discardableResult
    private func advance(_ walk: inout TableWalk) throws(KernelError) -> WalkResult.Outcome {
        try call(walk.request)
        let next = number(WalkResult.next)
        guard let outcome = WalkResult.Outcome(rawValue: Int32(truncatingIfNeeded: number(WalkResult.outcome))),
            next >= walk.request.start, next <= walk.request.end
        else { throw Self.surprise("an end beyond the table's") }
        if next == walk.request.start || purpose == .counts && outcome != .complete {
            // A chain that is too long for a call, or that never holds still.
            walk.vainCalls += 1
            guard outcome == .moved, walk.vainCalls < Self.greatestVainCalls else {
                throw Self.surprise("a chain without an end")
            }
        } else {
            walk.vainCalls = 0
        }
        walk.request.start = next
        return outcome
    }

    /// So often one chain is walked again.
    private static let greatestVainCalls = 64

    private func call(_ request: WalkRequest) throws(KernelError) {
        try program.run(request.arguments, Self.operation)
    }

    private func number(_ offset: Int32) -> UInt64 { array.memory.load(fromByteOffset: Int(offset), as: UInt64.self) }

    private func store(_ number: UInt64, _ offset: Int32) {
        array.memory.storeBytes(of: number, toByteOffset: Int(offset), as: UInt64.self)
    }

    private static func surprise(_ what: String) -> KernelError {
        KernelError(
            .inconsistentDump,
            operation: operation,
            detail: "it found \(what)",
            remedy: "have the kernel dump them"
        )
    }
}

// Safe: the program and the memory belong to this value alone, and every use of them is mutating.
extension TableWalker: @unchecked Sendable {}

/// The table of connections of a network namespace.
package struct KernelTable: Sendable {
    /// The address of the namespace in the kernel's memory: a program's argument, and never shown.
    let namespace: UInt64
    /// How many chains there are.
    package let bucketCount: UInt64
}

/// A walk over some of a table's chains, and how far it has come.
package struct TableWalk: Sendable {
    var request = WalkRequest()
    fileprivate(set) var vainCalls = 0

    /// A walk that has not begun, for what the query asks of states, family and ports; or a part of it, by its number among
    /// those that together walk the table once.
    package init(_ table: KernelTable, _ query: SocketQuery, part: UInt64 = 0, of parts: UInt64 = 1) {
        request.namespace = table.namespace
        request.start = table.bucketCount * part / max(parts, 1)
        request.end = table.bucketCount * (part + 1) / max(parts, 1)
        var states = query.states.subtracting(.outsideConnections)
        // As for a dump, a request is half open whatever its own number is.
        if states.contains(TCPState.synReceived) { states.formUnion(.synReceived) }
        request.states = states.rawValue
        request.family = query.family
        (request.localPort, request.remotePort) = (query.localPort, query.remotePort)
    }

    /// A walk of some chains, for every connection.
    init(_ table: KernelTable, _ buckets: Range<UInt64>) {
        self.init(table, SocketQuery())
        (request.start, request.end) = (buckets.lowerBound, min(buckets.upperBound, table.bucketCount))
    }

    package var isAtEnd: Bool { request.start >= request.end }

    /// The chains that are still to be walked.
    var rest: Range<UInt64> { request.start..<max(request.start, request.end) }
}

extension TCPStateSet {
    /// The states of sockets that are in no table of connections, but among the listeners, the bound, or nowhere. One that
    /// shows such a state there is being taken out.
    package static let outsideConnections: TCPStateSet = [.closed, .listen, .bound]
}
