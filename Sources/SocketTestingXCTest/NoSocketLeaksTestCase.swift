internal import LinuxLibC
public import SockDiag
internal import SocketLeaks
public import SocketTesting
public import XCTest

/// A test case whose tests leave no TCP socket open; what that means is said at ``/SocketTesting/NoSocketLeaks``.
///
/// ```swift
/// final class ServerTests: NoSocketLeaksTestCase {
///     override class var socketLeaks: NoSocketLeaks { .noSocketLeaks(ignoring: "dst 127.0.0.1:5432") }
///
///     func testStops() async throws { … }
/// }
/// ```
///
/// The check comes last, after `tearDown()` and the teardown blocks.
open class NoSocketLeaksTestCase: XCTestCase {
    /// What counts as a leak.
    open class var socketLeaks: NoSocketLeaks { .noSocketLeaks }

    /// Runs the test, and reports what it left open as a failure.
    open override func invokeTest() {
        let scope: LeakScope
        do { scope = try Self.socketLeaks.begin(name) } catch {
            fail("\(error)")
            return super.invokeTest()
        }
        LeakScope.$current.withValue(scope) { super.invokeTest() }
        do {
            let judgement = try SocketLedger.shared.end(scope)
            for pause in GracePeriod.pauses {
                if try judgement.isSettled() { break }
                usleep(UInt32(pause / .microseconds(1)))
            }
            for finding in try judgement.findings() {
                if finding.isFailure { fail("\(finding)") } else { warn("\(finding)") }
            }
        } catch {
            fail("what the test left open is not known: \(error)")
        }
    }

    private func fail(_ text: String) {
        recordFailure(withDescription: text, inFile: "\(type(of: self))", atLine: 0, expected: true)
    }

    /// XCTest has no warnings: like its own messages, on standard output.
    private func warn(_ text: String) { print("warning: \(name) : \(text)") }
}

extension XCTestCase {
    /// Waits until a TCP socket reaches a state, and fails where none does in time. See
    /// ``/SocketTesting/expectState(_:of:within:sourceLocation:)``.
    public func expectState(
        _ states: TCPStateSet,
        of filter: SocketFilter,
        within limit: Duration = .seconds(5),
        file: StaticString = #filePath,
        line: UInt = #line
    ) async throws {
        if let failure = try await StateExpectation(states: states, filter: filter, limit: limit).failure() {
            XCTFail(failure, file: file, line: line)
        }
    }
}
