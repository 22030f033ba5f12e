/// A small generator of random numbers that are the same for the same seed, on every machine.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
@usableFromInline
package struct SplitMix64: RandomNumberGenerator, Sendable {
    @usableFromInline var state: UInt64

    /// A generator of a seed.
    @inlinable
    package init(_ seed: UInt64) { state = seed }

    /// A generator of a part of something that has a seed.
    @inlinable
    package init(_ seed: UInt64, _ part: UInt64) { state = Self.mixed(seed &+ Self.mixed(part)) }

    /// The next 64 bits.
    @inlinable
    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.finished(state)
    }

    /// A number from 0 up to a limit, which is above 0.
    @inlinable
    package mutating func below(_ limit: Int) -> Int { Int(next() >> 33) % limit }

    /// A number of a range.
    @inlinable
    package mutating func among(_ range: ClosedRange<UInt64>) -> UInt64 {
        range.lowerBound + next() % (range.upperBound - range.lowerBound + 1)
    }

    /// Whether something happens that happens so often in a thousand times.
    @inlinable
    package mutating func happens(_ perMille: Int) -> Bool { below(1000) < perMille }

    /// One of several, none of which is preferred.
    @inlinable
    package mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }

    /// Other bits, the same for the same.
    @inlinable
    package static func mixed(_ bits: UInt64) -> UInt64 { finished(bits &+ 0x9e37_79b9_7f4a_7c15) }

    @inlinable
    static func finished(_ state: UInt64) -> UInt64 {
        var bits = state
        bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
        return bits ^ bits >> 31
    }
}
