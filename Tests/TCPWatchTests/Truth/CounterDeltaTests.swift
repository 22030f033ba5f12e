internal import Testing

@testable internal import TCPWatch

@Suite("What a counter of the kernel has grown by")
struct CounterDeltaTests {
    @Test func `Each loss is counted once`() {
        var counter = CounterDelta()
        #expect(counter.advance(to: 0) == 0)
        #expect(counter.advance(to: 3) == 3)
        #expect(counter.advance(to: 3) == 0)
        #expect(counter.advance(to: 10) == 7)
    }

    @Test func `What was counted before the beginning is not counted`() {
        var counter = CounterDelta(startingAt: 100)
        #expect(counter.advance(to: 100) == 0)
        #expect(counter.advance(to: 101) == 1)
    }

    @Test func `A counter that goes back is a fresh start, not a trap`() {
        var counter = CounterDelta()
        #expect(counter.advance(to: 4_294_967_295) == 4_294_967_295)
        // One of 32 bits, past its end.
        #expect(counter.advance(to: 4) == 4)
        #expect(counter.advance(to: 5) == 1)
        #expect(counter.advance(to: 0) == 0)
        #expect(counter.advance(to: 2) == 2)
    }

    @Test func `The greatest value is a value like any other`() {
        var counter = CounterDelta()
        #expect(counter.advance(to: .max) == .max)
        #expect(counter.advance(to: .max) == 0)
        #expect(counter.advance(to: UInt64.max - 1) == UInt64.max - 1)
        #expect(counter.advance(to: .max) == 1)
    }
}
