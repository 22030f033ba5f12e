internal import ArgumentParser

/// A time of a command line: a number and its unit, as `100ms`, `1.5s`, `2m` or `1h`.
struct DurationArgument: ExpressibleByArgument {
    let duration: Duration

    /// A time from one millisecond on; nil for anything else.
    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let scale: UInt64
        switch argument[digits.endIndex...] {
        case "ms": scale = 1
        case "s": scale = 1000
        case "m": scale = 60_000
        case "h": scale = 3_600_000
        default: return nil
        }
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = UInt64(parts[0]), whole <= UInt64(Int32.max) else { return nil }
        // Both are small: no product below overflows.
        var milliseconds = whole * scale
        if parts.count == 2 {
            guard (1...3).contains(parts[1].count), let fraction = UInt64(parts[1]) else { return nil }
            let unit: UInt64 = [10, 100, 1000][parts[1].count - 1]
            guard fraction * scale % unit == 0 else { return nil }
            milliseconds += fraction * scale / unit
        }
        guard milliseconds > 0 else { return nil }
        duration = .milliseconds(Int64(milliseconds))
    }

    /// The time by which an option does its work where none is named.
    init(_ duration: Duration) { self.duration = duration }

    /// Reads the word of a command line.
    init(word: String) throws {
        guard let duration = Self(argument: word) else {
            throw ValidationError("no time '\(word)'; a number and its unit, from 1ms on: 100ms, 1.5s, 2m, 1h")
        }
        self = duration
    }
}
