package import SocketLeaks

extension LeakScope {
    /// The scope of the test, of the case of a parameterized test, or of the suite that the current task belongs to, as far
    /// as tasks inherit it: child tasks and `Task { }` do, detached tasks and threads do not.
    @TaskLocal package static var current: LeakScope?
}
