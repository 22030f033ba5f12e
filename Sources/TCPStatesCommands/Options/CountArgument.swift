internal import ArgumentParser

/// A number of things to wait for.
enum CountArgument {
    /// Reads the word of a command line.
    static func count(of word: String) throws -> Int {
        guard let count = Int(word), count > 0 else {
            throw ValidationError("no count '\(word)'; a whole number from 1 on")
        }
        return count
    }
}
