#if Serve
    internal import SockDiag
    internal import TCPRecords
    internal import TCPWatch

    /// The sockets of a namespace, counted by family and state, and how long those have been there that have been longest.
    struct StateCounts: Sendable {
        private var counts: [AddressFamily: [TCPState: UInt64]] = [:]
        /// When the socket has entered its state that has done so first, monotonic nanoseconds.
        private var oldest: [TCPState: UInt64] = [:]

        /// Those whose age says something: a listener, a bound socket and an open connection may be as old as they like.
        private static let aging = TCPState.allCases.filter { ![.listen, .bound, .established].contains($0) }

        func count(of state: TCPState, _ family: AddressFamily) -> UInt64 { counts[family]?[state] ?? 0 }

        mutating func add(_ state: TCPState, _ family: AddressFamily) {
            counts[family, default: [:]][state, default: 0] &+= 1
        }

        mutating func add(_ state: TCPState, since time: UInt64) { oldest[state] = min(oldest[state] ?? .max, time) }

        /// The ages are another's: of the watcher's table, where the counts are of a dump.
        mutating func takeAges(of other: StateCounts) { oldest = other.oldest }

        func families(at now: UInt64) -> [MetricFamily] {
            typealias Sample = MetricFamily.Sample
            let families: [(AddressFamily, String)] = [(.ipv4, "ipv4"), (.ipv6, "ipv6")]
            let sockets = families.flatMap { family, label in
                TCPState.allCases.map { Sample([label, $0.metricLabel], .count(count(of: $0, family))) }
            }
            let ages = Self.aging.map { state in
                let age = oldest[state].map { now > $0 ? now - $0 : 0 } ?? 0
                return Sample([state.metricLabel], .number(Double(age) / 1e9))
            }
            return [MetricFamily(Catalogue.sockets, sockets), MetricFamily(Catalogue.oldest, ages)]
        }
    }
#endif
