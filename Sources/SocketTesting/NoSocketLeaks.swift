public import SockDiag
package import SocketLeaks
public import Testing

/// Finds the TCP sockets that a test leaves open.
///
/// ```swift
/// @Test(.noSocketLeaks) func `The server stops`() async throws { … }
///
/// @Suite(.noSocketLeaks(ignoring: "dst 127.0.0.1:5432")) struct ServerTests { … }
/// ```
///
/// A socket leaks that this process or one of its children opened during the test, and that is still open when the test has
/// ended and had time to settle. On a suite each of its tests is checked by itself, those of inner suites too, and the
/// suite as a whole: what came while several of its tests ran, and cannot be attributed to one, is reported there.
public struct NoSocketLeaks: TestTrait, SuiteTrait, TestScoping {
    private var rules = LeakRules()
    private let severity: Issue.Severity
    /// What is wrong with the text of a filter.
    private var mistake: SocketFilterError?

    /// Whether the tests of the suite are checked too: always.
    public var isRecursive: Bool { true }

    fileprivate init(
        ignoring filter: Result<SocketFilter, SocketFilterError>?,
        states: TCPStateSet?,
        settleTime: Duration,
        severity: Issue.Severity
    ) {
        self.severity = severity
        rules.settleTime = settleTime
        if let states { rules.states = states }
        rules.countsUnheld = rules.states.contains(.timeWait)
        switch filter {
        case .success(let filter): rules.ignored = filter
        case .failure(let error): mistake = error
        case nil: break
        }
    }

    /// The trait itself, for every case of a test and for a suite.
    public func scopeProvider(for test: Test, testCase: Test.Case?) -> NoSocketLeaks? {
        test.isSuite || testCase != nil ? self : nil
    }

    /// Runs the test, or the suite, and reports what it left open as an issue of its own.
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        let name = "\(test.displayName ?? test.name) at \(test.sourceLocation)"
        let scope: LeakScope
        do { scope = try begin(name) } catch {
            Issue.record(error, sourceLocation: test.sourceLocation)
            return try await function()
        }
        // A test that fails may leak for that reason: both are reported.
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await LeakScope.$current.withValue(scope) { try await function() })
        } catch {
            outcome = .failure(error)
        }
        do {
            for finding in try await Self.findings(of: scope) { await finding.record(at: test.sourceLocation) }
        } catch {
            Issue.record(error, "what the test left open is not known", sourceLocation: test.sourceLocation)
        }
        try outcome.get()
    }

    /// Opens the scope of a test.
    ///
    /// - Throws: ``/SockDiag/SocketFilterError`` where the text of the filter is none, ``/SockDiag/KernelError`` where
    ///   the sockets cannot be listed.
    package func begin(_ name: String) throws -> LeakScope {
        if let mistake { throw mistake }
        let scope = LeakScope(name, rules: rules, onlyWarns: severity < .error, in: .current)
        try SocketLedger.shared.begin(scope)
        return scope
    }

    /// Waits in a task of its own, because that of the test may be cancelled and would not.
    private static func findings(of scope: LeakScope) async throws -> [LeakFinding] {
        let judgement = try SocketLedger.shared.end(scope)
        return try await Task.detached {
            for pause in GracePeriod.pauses {
                if try judgement.isSettled() { break }
                try await Task.sleep(for: pause)
            }
            return try judgement.findings()
        }.value
    }
}

extension LeakFinding {
    /// Records it at the test or the suite, or at none where it is nobody's.
    fileprivate func record(at location: SourceLocation) async {
        let text = Comment(rawValue: description)
        let severity = severity
        if place != nil {
            Issue.record(text, severity: severity, sourceLocation: location)
        } else {
            await Task.detached { _ = Issue.record(text, severity: severity) }.value
        }
    }
}

extension Trait where Self == NoSocketLeaks {
    /// The test leaves no socket open. See ``NoSocketLeaks``.
    public static var noSocketLeaks: NoSocketLeaks { noSocketLeaks() }

    /// The test leaves no socket open. See ``NoSocketLeaks``.
    ///
    /// - Parameters:
    ///   - filter: sockets that may be left.
    ///   - states: the states that count, for sockets that somebody holds; without it every one. With TIME_WAIT among them
    ///     sockets count too that have been closed and that the kernel still finishes.
    ///   - settleTime: how long after the test a socket may take to go. The test ends as soon as none is left.
    ///   - severity: whether a leak fails the test or is a warning.
    /// - Returns: the trait.
    public static func noSocketLeaks(
        ignoring filter: SocketFilter? = nil,
        states: TCPStateSet? = nil,
        settleTime: Duration = .seconds(1),
        severity: Issue.Severity = .error
    ) -> NoSocketLeaks {
        NoSocketLeaks(ignoring: filter.map { .success($0) }, states: states, settleTime: settleTime, severity: severity)
    }

    /// The test leaves no socket open, but such as a filter in the language of `ss` finds: `"dst 127.0.0.1:5432"`. See
    /// ``NoSocketLeaks``.
    ///
    /// - Parameters:
    ///   - filter: sockets that may be left, in the language of ``/SockDiag/SocketFilter``. Text that is none is an issue
    ///     of the test.
    ///   - states: as with a filter in Swift; so are the others.
    ///   - settleTime: how long after the test a socket may take to go.
    ///   - severity: whether a leak fails the test or is a warning.
    /// - Returns: the trait.
    public static func noSocketLeaks(
        ignoring filter: String,
        states: TCPStateSet? = nil,
        settleTime: Duration = .seconds(1),
        severity: Issue.Severity = .error
    ) -> NoSocketLeaks {
        let filter = Result { () throws(SocketFilterError) in try SocketFilter(filter) }
        return NoSocketLeaks(ignoring: filter, states: states, settleTime: settleTime, severity: severity)
    }
}

extension LeakScope {
    /// The scope of the test, of the case of a parameterized test, or of the suite that the current task belongs to, as far
    /// as tasks inherit it: child tasks and `Task { }` do, detached tasks and threads do not.
    @TaskLocal package static var current: LeakScope?
}
