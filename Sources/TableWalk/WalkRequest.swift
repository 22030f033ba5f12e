internal import SockDiag
internal import SocketValues

/// What one call of a walk is asked for: the numbers in the program's context.
struct WalkRequest {
    /// Where in the context a number lies.
    enum Argument: Int, CaseIterable {
        /// The address of the namespace (`struct net`); 0 for the calling thread's.
        case namespace
        /// The first bucket, and the one behind the last.
        case start, end
        /// After so many steps no other chain is begun.
        case steps
        /// A bit for each of the kernel's states.
        case states
        /// 0 for any. The remote port is in the network's byte order, as the kernel has it.
        case family, localPort, remotePort

        var offset: Int { 8 * rawValue }
    }

    /// A chain ends within this number of steps behind ``steps``, or the call does. A step takes a tenth of a microsecond,
    /// so that a call takes a millisecond at most.
    static let steps: UInt64 = 4096
    static let greatestSteps: Int32 = 12_288
    /// `TCP_NEW_SYN_RECV`: a half-open request.
    static let newRequest = Int32(TCPState.newSynReceived.rawValue)
    static let greatestState = newRequest

    var namespace: UInt64 = 0
    var start: UInt64 = 0
    var end: UInt64 = 0
    var states: UInt32 = 0
    var family: AddressFamily?
    var localPort: UInt16?
    var remotePort: UInt16?

    /// The context.
    var arguments: [UInt64] {
        Argument.allCases.map { argument in
            switch argument {
            case .namespace: namespace
            case .start: start
            case .end: end
            case .steps: Self.steps
            case .states: UInt64(states)
            case .family: UInt64(family?.rawValue ?? 0)
            case .localPort: UInt64(localPort ?? 0)
            case .remotePort: UInt64((remotePort ?? 0).bigEndian)
            }
        }
    }
}

/// What one call answers with: where in the shared memory each number of 8 bytes lies.
enum WalkResult {
    /// Stands for the map in a listing that is not loaded yet.
    static let map: Int32 = -1
    /// The bytes of rows of whole chains, and with those of the chain that was being walked.
    static let rows: Int32 = 0
    static let cursor: Int32 = 8
    /// The bucket to go on with, of which nothing has been reported.
    static let next: Int32 = 16
    static let outcome: Int32 = 24
    static let namespace: Int32 = 32
    /// The number of buckets; the 8 bytes behind it are the program's.
    static let buckets: Int32 = 40
    /// The rows, or a number for each state.
    static let body: Int32 = 64

    /// Room for the sockets of so many steps.
    static let rowsSize = 4096 * InetDiagMessage.size
    static let stateCount = Int(WalkRequest.greatestState) + 1
    /// Behind the numbers of the states, that of the sockets that nobody has asked the name of.
    static let nameless = body + 8 * Int32(stateCount)

    enum Outcome: Int32 {
        /// It came to the end, or to its number of steps.
        case complete
        /// There was no room, or there were no steps, for another chain.
        case exhausted
        /// A socket went to another chain, and the walk with it.
        case moved
        /// What was looked for is there.
        case found
    }
}
