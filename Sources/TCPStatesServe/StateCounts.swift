#if Serve
    internal import SockDiag
    internal import TCPRecords
    internal import TCPWatch

    /// The sockets of a namespace, counted by family and state, and how long those have been there that have been longest.
    struct StateCounts: Sendable {
        /// By family and number of the state: there may be a million, and nothing is hashed for any.
        private var counts = [UInt64](repeating: 0, count: 512)
        /// When the socket has entered its state that has done so first, monotonic nanoseconds; by the number of the state.
        private var oldest = [UInt64](repeating: .max, count: 256)

        /// Those whose age says something: a listener, a bound socket and an open connection may be as old as they like.
        private static let aging = TCPState.allCases.filter { ![.listen, .bound, .established].contains($0) }

        func count(of state: TCPState, _ family: AddressFamily) -> UInt64 { counts[Self.place(state, family)] }

        mutating func add(_ state: TCPState, _ family: AddressFamily) { counts[Self.place(state, family)] &+= 1 }

        mutating func add(_ state: TCPState, since time: UInt64) {
            oldest[Int(state.rawValue)] = min(oldest[Int(state.rawValue)], time)
        }

        private static func place(_ state: TCPState, _ family: AddressFamily) -> Int {
            Int(state.rawValue) + (family == .ipv6 ? 256 : 0)
        }

        /// The ages, where it is so late.
        func ages(at now: UInt64) -> MetricFamily {
            MetricFamily(
                Catalogue.oldest,
                Self.aging.map { state in
                    let since = oldest[Int(state.rawValue)]
                    let age = now > since ? now - since : 0
                    return MetricFamily.Sample([state.metricLabel], .number(Double(age) / 1e9))
                }
            )
        }
    }
#endif
