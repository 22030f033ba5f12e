internal import ArgumentParser

/// What the fingers type after years of `ss -tan`: TCP, every state, numbers. That is the default here, so they change
/// nothing.
struct HabitualOptions: ParsableArguments {
    @Flag(name: [.customShort("t"), .customLong("tcp")], help: .private) var tcp = false
    @Flag(name: [.customShort("a"), .customLong("all")], help: .private) var all = false
    @Flag(name: [.customShort("n"), .customLong("numeric")], help: .private) var numeric = false
}
