/// Something that can be seen from here, or cannot: the record `access`.
public struct AccessRecord: Hashable, Sendable {
    /// What it is: `ipv4`, `trace`, `owners`.
    public var what: String
    /// Whether it is seen.
    public var isAvailable: Bool
    /// Why it is not, and what would help.
    public var shortfall: String?

    /// Something that can be seen, or cannot.
    public init(_ what: String, isAvailable: Bool, shortfall: String? = nil) {
        (self.what, self.isAvailable, self.shortfall) = (what, isAvailable, shortfall)
    }
}
