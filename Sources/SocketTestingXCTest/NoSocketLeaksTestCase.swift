internal import SockDiag
public import SocketTesting
internal import TCPWatch
public import XCTest

/// A test case whose tests leave no socket open; the rules are those of ``/SocketTesting/NoSocketLeaks``.
///
/// ```swift
/// final class ServerTests: NoSocketLeaksTestCase {
///     func testStops() async throws { … }
/// }
/// ```
///
/// The check comes after `tearDown()` and the teardown blocks.
open class NoSocketLeaksTestCase: XCTestCase {
    /// What counts as a leak; override it to say something else than `.noSocketLeaks`.
    open class var leakCheck: NoSocketLeaks { .noSocketLeaks }

    /// Runs the test, and tells what it left open as a failure.
    open override func invokeTest() {
        let window = Self.leakCheck.window(name)
        do {
            try SocketLedger.shared.begin(window)
            LeakWindow.$current.withValue(window) { super.invokeTest() }
        }
    }
}
