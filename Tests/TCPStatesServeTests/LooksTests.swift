#if Serve
    import Dispatch
    import NIOCore
    import NIOPosix
    import TCPWatch
    import Testing

    @testable import TCPStatesServe

    /// Looks whose thread waits for the test.
    private final class HeldLooks {
        let watcher: SocketWatcher
        let looks: Looks
        private let pool = NIOThreadPool(numberOfThreads: 1)
        private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        private let gate = DispatchSemaphore(value: 0)

        init() throws {
            watcher = try SocketWatcher()
            let (gate, isHeld) = (gate, DispatchSemaphore(value: 0))
            pool.start()
            pool.submit { _ in
                isHeld.signal()
                gate.wait()
            }
            isHeld.wait()
            let configuration = ServeConfiguration(version: "", watching: .init())
            looks = Looks(watcher, configuration, since: .now(), on: pool, afterEvents: { $0() })
        }

        deinit {
            gate.signal()
            try? pool.syncShutdownGracefully()
            try? group.syncShutdownGracefully()
        }

        func letGo() { gate.signal() }

        func ask() -> (look: EventLoopFuture<Look>, forget: @Sendable () -> Void) { looks.ask(on: group.next()) }
    }

    @Suite struct LooksTests {
        @Test func `All who wait at the same time share one look`() throws {
            let held = try HeldLooks()
            let asked = (0..<10).map { _ in held.ask().look }
            held.letGo()
            let times = try asked.map { try $0.wait().time }
            #expect(Set(times).count == 1)
            let later = try held.ask().look.wait().time
            #expect(!times.contains(later))
        }

        @Test func `A look for which nobody waits any more is left, and the next one is made`() throws {
            let held = try HeldLooks()
            let asked = held.ask()
            asked.forget()
            #expect(throws: Looks.Abandoned.self) { try asked.look.wait() }
            let next = held.ask().look
            held.letGo()
            #expect(try next.wait().spaces.count == 1)
        }

        @Test func `Where the watch has ended there is no look, and nobody waits for one`() throws {
            let held = try HeldLooks()
            held.letGo()
            held.watcher.stop()
            // Until the thread has ended it still looks.
            let deadline = ContinuousClock.now + .seconds(60)
            var failure: (any Error)?
            while failure == nil {
                do { _ = try held.ask().look.wait() } catch { failure = error }
                try #require(.now < deadline)
            }
            #expect(failure is Looks.Ended)
        }
    }

    @Suite struct MarkupTests {
        @Test(
            arguments: [
                ("plain · ü", "plain · ü"), ("<script>", "&lt;script&gt;"), ("a\"b'c&d", "a&quot;b&#39;c&amp;d"),
                ("\u{1b}[31m\n\0", "\u{fffd}[31m\u{fffd}\u{fffd}"), ("&lt;", "&amp;lt;"),
            ]
        )
        func `Text is no markup, in an element or in an attribute`(text: String, expected: String) {
            var html = Markup()
            html.text(text)
            #expect(String(buffer: html.body) == expected)
        }
    }
#endif
